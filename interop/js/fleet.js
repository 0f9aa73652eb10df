"use strict";

// Dashboards of the fleet in real browsers, on two nodes. Prints one JSON line for each
// scenario: {"name", "ok", "detail", "ms"}.
//
//   node fleet.js '{"browser": "/usr/bin/chromium", "profiles": DIR,
//                   "pages": [URL, URL], "control": URL}'
//
// POST control/cut resets every connection of the first page.

const assert = require("node:assert/strict");
const path = require("node:path");
const { chromium } = require("playwright-core");

const flags = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

const patience = 30_000;

// Person is somebody with a browser.
class Person {
  static async at(config, url, name, size) {
    const context = await chromium.launchPersistentContext(path.join(config.profiles, name), {
      executablePath: config.browser, headless: true, args: flags, viewport: size,
    });
    context.setDefaultTimeout(patience);
    const person = new Person(context, context.pages()[0] ?? (await context.newPage()), name);
    await person.page.goto(url);
    return person;
  }

  constructor(context, page, name) {
    this.context = context;
    this.page = page;
    this.name = name;
    this.errors = [];
    this.foreign = [];
    page.on("pageerror", (err) => this.errors.push(String(err)));
    page.on("request", (req) => {
      if (new URL(req.url()).hostname !== "127.0.0.1" && !req.url().startsWith("data:")) this.foreign.push(req.url());
    });
  }

  part(name) {
    return this.page.getByTestId(`fleet-${name}`);
  }

  // until repeats a question until its answer is right.
  async until(what, question, right) {
    const end = Date.now() + patience;
    for (;;) {
      const got = await question();
      if (right(got)) return got;
      if (Date.now() > end) throw new Error(`${this.name} does not see ${what}: ${got}`);
      await new Promise((done) => setTimeout(done, 50));
    }
  }

  shows(part, right, what) {
    return this.until(what, () => this.part(part).innerText(), right);
  }

  alerts() {
    return this.part("alerts").locator("li").evaluateAll((items) => items.map((i) => i.dataset.id));
  }

  hears(id) {
    return this.until(`the alert ${id}`, () => this.alerts(), (got) => got.includes(id));
  }

  async login(as) {
    await this.part(`as-${as}`).click();
    await this.shows("status", (got) => got.startsWith("Connected"), "that it is connected");
    await this.shows("shown", (got) => /trucks here/.test(got), "trucks");
  }
}

// shock tries an alarm of a truck, and returns the alert's id.
async function shock(person, truck) {
  const data = await person.page.evaluate(async (truckId) => {
    const res = await fetch("api/telemetry/simulate/shock", {
      method: "POST", body: JSON.stringify({ truckId }),
      headers: { "Content-Type": "application/json", Authorization: `Bearer ${sessionStorage.getItem("fleet-token")}` },
    });
    return res.json();
  }, truck);
  assert.equal(data.data?.truckId, truck, JSON.stringify(data));
  return `${truck}:CRITICAL:${Date.parse(data.data.timestamp)}`;
}

const scenarios = {
  async "fleet-refuses"({ manager }) {
    await manager.part("username").fill("manager");
    await manager.part("password").fill("admin");
    await manager.part("login").click();
    await manager.shows("refused", (got) => got === "wrong name or password", "that it is refused");
  },

  async "fleet-login"({ manager, north }) {
    await manager.login("manager");
    await north.login("north");
    await manager.shows("user", (got) => got.includes("manager"), "who they are");
    await manager.shows("shown", (got) => got.includes("200 in all"), "all trucks");
    await north.shows("shown", (got) => got.includes("50 in all"), "the own trucks alone");
  },

  // The map shows something, and trucks on it move.
  async "fleet-map"({ manager }) {
    assert.ok(await manager.page.locator(".leaflet-tile-loaded").count() > 3);
    const colours = await manager.page.evaluate(() => {
      const tile = document.querySelector(".leaflet-tile-loaded");
      const { data } = tile.getContext("2d").getImageData(0, 0, tile.width, tile.height);
      return new Set(Array.from({ length: data.length / 4 }, (_, i) => data.slice(4 * i, 4 * i + 3).join())).size;
    });
    assert.ok(colours > 4, `a tile has ${colours} colours`);
    const trucks = () => manager.page.evaluate(() => document.querySelector(".leaflet-overlay-pane canvas").toDataURL());
    const before = await trucks();
    await manager.until("trucks that move", trucks, (now) => now !== before);
  },

  // An alert of one node's page is on the other's, for those who may see it.
  async "fleet-alert"({ manager, north }) {
    const id = await shock(manager, "NORTH-0001");
    await manager.hears(id);
    await north.hears(id);
    const other = await shock(manager, "SOUTH-0001");
    await manager.hears(other);
    const last = await shock(manager, "NORTH-0002");
    await north.hears(last);
    assert.deepEqual((await north.alerts()).filter((a) => !a.startsWith("NORTH-")), []);
    assert.ok((await manager.part("alerts").locator("li").first().innerText()).includes("estimated loss"));
  },

  // A click on an alert shows its truck, which the map did not have.
  async "fleet-fly"({ manager }) {
    await manager.part("alerts").locator("li button").first().click();
    const truck = await manager.shows("truck", (got) => /-\d+$/.test(got), "the truck");
    await manager.page.locator(".leaflet-popup", { hasText: truck }).waitFor();
    await manager.page.locator("#temperature", { hasText: "°C" }).waitFor();
  },

  // A manager sees what everybody has ordered, others what they have themselves.
  async "fleet-orders"({ manager, north }) {
    for (const one of [manager, north]) await one.part("show-orders").click();
    const orders = (one) => one.part("orders").locator("li").evaluateAll((items) => items.map((i) => [i.dataset.id, i.innerText]));
    const own = await north.until("an order of theirs", () => orders(north), (got) => got.length > 0);
    const all = await manager.until("that order", () => orders(manager), (got) => own.every(([id]) => got.some((o) => o[0] === id)));
    assert.equal(new Set(all.map(([id]) => id)).size, all.length);
    assert.deepEqual((await orders(north)).filter(([, text]) => text.includes("southwest")), []);
    await manager.page.getByRole("button", { name: /^Alerts/ }).click();
    await north.page.getByRole("button", { name: /^Alerts/ }).click();
  },

  async "fleet-filter"({ manager }) {
    await manager.page.getByRole("button", { name: "SOUTH", exact: true }).click();
    await manager.until("alerts of SOUTH alone", () => manager.alerts(), (got) => got.length > 0 && got.every((a) => a.startsWith("SOUTH-")));
    await manager.shows("shown", (got) => got.includes("50 in all"), "trucks of SOUTH alone");
    await manager.page.getByRole("button", { name: "All", exact: true }).click();
  },

  // Who loses the connection misses no alert, and hears none twice.
  async "fleet-recovers"({ config, manager, north }) {
    await fetch(`${config.control}/cut`, { method: "POST" });
    const ids = [await shock(north.boss, "NORTH-0003"), await shock(north.boss, "WEST-0003")];
    await manager.shows("status", (got) => got.startsWith("Connected"), "that it is connected again");
    for (const id of ids) await manager.hears(id);
    const all = await manager.alerts();
    assert.equal(new Set(all).size, all.length);
  },

  // Who comes late reads what was told before.
  async "fleet-late"({ manager, north }) {
    const before = await north.alerts();
    await north.page.reload();
    await north.shows("status", (got) => got.startsWith("Connected"), "that it is connected");
    for (const id of before) await north.hears(id);
    await manager.shows("problem", (got) => got === "", "no problem");
  },

  // On a phone everything is one below the other, and nothing is cut off.
  async "fleet-phone"({ north }) {
    const { wide, seen } = await north.page.evaluate(() => ({ wide: document.documentElement.scrollWidth, seen: innerWidth }));
    assert.ok(wide <= seen, `the page is ${wide} wide, the screen ${seen}`);
  },

  async "fleet-logout"({ manager }) {
    await manager.part("logout").click();
    await manager.part("login").waitFor();
  },

  async "fleet-no-errors"({ manager, north }) {
    assert.deepEqual([manager.errors, north.errors], [[], []]);
    assert.deepEqual([manager.foreign, north.foreign], [[], []], "the page asks others than its server");
  },
};

async function attempt(name, room) {
  const began = Date.now();
  let detail = "";
  try {
    await scenarios[name](room);
  } catch (err) {
    detail = err.stack ?? String(err);
  }
  return { name, ok: detail === "", detail, ms: Date.now() - began };
}

async function main() {
  const config = JSON.parse(process.argv[2]);
  const room = {
    config,
    manager: await Person.at(config, config.pages[0], "manager", { width: 1280, height: 850 }),
    north: await Person.at(config, config.pages[1], "north", { width: 390, height: 844 }),
  };
  // A second page of a manager, on the second node.
  room.north.boss = await Person.at(config, config.pages[1], "boss", { width: 800, height: 600 });
  try {
    await room.north.boss.login("manager");
    for (const name of Object.keys(scenarios)) {
      console.log(JSON.stringify(await attempt(name, room)));
    }
  } finally {
    await Promise.all([room.manager, room.north, room.north.boss].map((p) => p.context.close()));
  }
}

main().catch((err) => {
  console.error(err);
  process.exit(1);
});
