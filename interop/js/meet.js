"use strict";

// People in real browsers, on two nodes, show each other a screen: the pictures
// are those of the browser's fake devices. Prints one JSON line for each scenario:
// {"name", "ok", "detail", "ms"}.
//
//   node meet.js '{"browser": "/usr/bin/chromium", "pages": [URL, URL],
//                  "control": URL, "scenarios": [NAME, …]}'
//
// POST control/cut resets every connection of the second page, control/kill ends
// its node.

const assert = require("node:assert/strict");
const { chromium } = require("playwright-core");

const flags = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  // A screen to share, without a person who chooses one.
  "--use-fake-ui-for-media-stream",
  "--use-fake-device-for-media-stream",
  // Browsers on one machine that may have no other network.
  "--allow-loopback-in-peer-connection",
  "--disable-features=WebRtcHideLocalIpsWithMdns",
];

const patience = 30_000;
const room = "engine-room";

// Browser is a process of its own.
class Browser {
  static async launch(config) {
    const server = await chromium.launchServer({ executablePath: config.browser, headless: true, args: flags });
    return new Browser(server, await chromium.connect(server.wsEndpoint()));
  }

  constructor(server, browser) {
    this.server = server;
    this.browser = browser;
  }

  kill() {
    return this.server.kill();
  }

  close() {
    return this.server.close();
  }
}

// Person is somebody with a page.
class Person {
  static async at(browser, url, name) {
    const context = await browser.browser.newContext();
    context.setDefaultTimeout(patience);
    await context.addInitScript(keepToasts);
    const person = new Person(await context.newPage(), name);
    await person.page.goto(url);
    return person;
  }

  // through is someone who comes by the link of the room.
  static through(browser, url, name, more = "") {
    return Person.at(browser, `${url}room/${room}?name=${name}${more}`, name);
  }

  constructor(page, name) {
    this.page = page;
    this.name = name;
    this.errors = [];
    page.on("pageerror", (err) => this.errors.push(String(err)));
  }

  part(name) {
    return this.page.getByTestId(`meet-${name}`);
  }

  // until repeats a question until its answer is right.
  async until(what, question, right) {
    const end = Date.now() + patience;
    for (;;) {
      const got = await question();
      if (right(got)) return got;
      if (Date.now() > end) throw new Error(`${this.name} does not see ${what}: ${got}`);
    }
  }

  // shows waits until the text of a part is right.
  shows(part, right, what) {
    return this.until(what, () => this.part(part).innerText(), right);
  }

  // told waits until the page has said so in passing.
  async told(text) {
    await this.until(text, () => this.toasts(), (got) => got.some((toast) => toast.startsWith(text)));
  }

  toasts() {
    return this.page.evaluate(() => globalThis.toasts);
  }

  // sees waits for a list of exactly these people.
  async sees(...names) {
    const shown = () => this.part("people").locator(".name").allInnerTexts();
    await this.until(names.join(), shown, (got) => got.toSorted().join() === names.toSorted().join());
    assert.equal(await this.part("count").innerText(), String(names.length));
    assert.equal(await this.part("total").innerText(), String(names.length));
  }

  // watches waits for a picture that moves and is not black.
  async watches(who) {
    await this.shows("caption", (got) => got.startsWith(`${who} shares this`), `what ${who} shares`);
    let last;
    await this.until("a moving picture", () => this.page.evaluate(picture), ({ digest, light }) => {
      const moved = last !== undefined && digest !== last;
      last = light > 30 ? digest : undefined;
      return moved && light > 30;
    });
    await this.shows("sharing", (got) => got === who, `that ${who} shares`);
    await this.part("people").locator("li", { hasText: who }).getByText("Sharing").waitFor();
  }

  // waits waits until nothing is shared.
  async waits() {
    await this.part("waiting").waitFor();
    await this.part("video").waitFor({ state: "hidden" });
    await this.shows("sharing", (got) => got === "nobody", "that nobody shares");
    assert.match(await this.part("waiting").innerText(), /^Waiting for someone/);
  }

  async share() {
    await this.part("share").and(this.page.locator(":enabled")).click();
    await this.shows("share", (got) => got === "Stop sharing", "that they share");
  }

  async stop() {
    await this.part("share").click();
    await this.shows("share", (got) => got === "Start sharing", "that they can share again");
  }
}

// keepToasts runs in each page: what it says is gone after a few seconds.
function keepToasts() {
  globalThis.toasts = [];
  const keep = (changes) => {
    for (const node of changes.flatMap((change) => [...change.addedNodes])) {
      if (node.className === "toast") globalThis.toasts.push(node.textContent);
    }
  };
  new MutationObserver(keep).observe(document, { childList: true, subtree: true });
}

// picture runs in the page: a number for what the video shows, and its light.
function picture() {
  const video = document.querySelector("video");
  const canvas = document.createElement("canvas");
  canvas.width = 160;
  canvas.height = 90;
  const drawing = canvas.getContext("2d");
  drawing.drawImage(video, 0, 0, canvas.width, canvas.height);
  const pixels = drawing.getImageData(0, 0, canvas.width, canvas.height).data;
  let digest = 0;
  let light = 0;
  pixels.forEach((value, i) => {
    if (i % 4 === 3) return; // how opaque it is
    digest = (digest * 31 + value) % 2 ** 32;
    light = Math.max(light, value);
  });
  return { digest, light };
}

// hesitate runs in the page: the next choice of a screen waits for choose().
function hesitate() {
  const devices = navigator.mediaDevices;
  const pick = devices.getDisplayMedia;
  const chosen = new Promise((resolve) => (globalThis.choose = resolve));
  devices.getDisplayMedia = async (options) => {
    devices.getDisplayMedia = pick;
    await chosen;
    return pick.call(devices, options);
  };
}

const scenarios = {
  async "meet-join"(meeting) {
    const { browsers, config } = meeting;
    const ada = (meeting.ada = await Person.at(browsers[0], config.pages[0], "Ada"));
    await ada.part("name").fill("Ada");
    await ada.part("room").fill("engine room");
    await ada.page.keyboard.press("Enter");
    await ada.page.waitForURL(`**/room/${room}?name=Ada`);
    await ada.sees("Ada");
    await ada.waits();
    const grace = (meeting.grace = await Person.through(browsers[1], config.pages[1], "Grace"));
    await ada.told("Grace has joined");
    for (const one of [ada, grace]) await one.sees("Ada", "Grace");
    await grace.part("people").locator("li", { hasText: "Grace" }).getByText("(You)").waitFor();
    assert.equal(await grace.part("title").innerText(), room);
  },

  async "meet-share"({ ada, grace }) {
    await ada.share();
    await grace.watches("Ada");
    await ada.shows("caption", (got) => got === "You share this", "their own screen");
    assert.ok(await grace.part("share").isDisabled());
  },

  async "meet-late"(meeting) {
    const { browsers, config } = meeting;
    meeting.edsger = await Person.through(browsers[0], config.pages[1], "Edsger", "&source=camera");
    await meeting.edsger.watches("Ada");
    await meeting.grace.watches("Ada");
    await meeting.ada.sees("Ada", "Grace", "Edsger");
  },

  async "meet-reconnect"({ ada, grace, edsger, config }) {
    const before = await ada.toasts();
    await control(config, "cut");
    await grace.shows("status", (got) => got === "Reconnecting…", "that it reconnects");
    for (const one of [grace, edsger]) {
      await one.told("Connected again");
      await one.shows("status", (got) => got === "Connected", "that it is connected");
      await one.watches("Ada");
    }
    await ada.sees("Ada", "Grace", "Edsger");
    assert.deepEqual(await ada.toasts(), before);
  },

  async "meet-stop"({ ada, grace, edsger }) {
    await ada.stop();
    for (const one of [ada, grace, edsger]) await one.waits();
  },

  async "meet-other-way"({ ada, grace, edsger }) {
    await grace.share();
    await ada.watches("Grace");
    await edsger.watches("Grace");
    await grace.stop();
    for (const one of [ada, grace, edsger]) await one.waits();
  },

  // Both begin at the same moment: one shares, the other is told and watches.
  async "meet-both"({ ada, grace, edsger }) {
    for (const one of [ada, grace]) {
      await one.page.evaluate(hesitate);
      await one.part("share").click();
    }
    await Promise.all([ada, grace].map((one) => one.page.evaluate(() => globalThis.choose())));
    const refused = (one) => one.part("problem").innerText().then((got) => got.includes("somebody else is sharing"));
    const loser = await ada.until("that one is refused", async () => ((await refused(ada)) ? ada : (await refused(grace)) && grace), Boolean);
    const winner = loser === ada ? grace : ada;
    await loser.watches(winner.name);
    await edsger.watches(winner.name);
    await winner.stop();
    for (const one of [ada, grace, edsger]) await one.waits();
  },

  // Away for longer than the server waits: the page comes back by itself.
  async "meet-forgotten"({ ada, grace, config }) {
    await grace.share();
    await ada.watches("Grace");
    await grace.page.context().setOffline(true);
    await control(config, "cut");
    await grace.shows("status", (got) => got === "Reconnecting…", "that it reconnects");
    await ada.told("Grace has left");
    await ada.waits();
    await grace.page.context().setOffline(false);
    await ada.watches("Grace");
    await ada.sees("Ada", "Grace", "Edsger");
    await grace.stop();
    await ada.waits();
  },

  async "meet-tab-closed"({ ada, grace, edsger }) {
    await edsger.share();
    await ada.watches("Edsger");
    await edsger.page.close();
    await ada.told("Edsger has left");
    for (const one of [ada, grace]) {
      await one.waits();
      await one.sees("Ada", "Grace");
    }
  },

  async "meet-no-errors"({ ada, grace, edsger }) {
    assert.deepEqual([ada.errors, grace.errors, edsger.errors], [[], [], []]);
  },

  "meet-killed-browser": (meeting) => ends(meeting, () => meeting.browsers[1].kill()),
  "meet-killed-node": (meeting) => ends(meeting, () => control(meeting.config, "kill")),
};

// ends lets the second one share, and be gone without a word.
async function ends({ ada, grace }, gone) {
  await grace.share();
  await ada.watches("Grace");
  await gone();
  await ada.told("Grace has left");
  await ada.waits();
  await ada.sees("Ada");
  await ada.share(); // the next one can
}

async function control(config, what) {
  const res = await fetch(`${config.control}/${what}`, { method: "POST" });
  assert.ok(res.ok, `control ${what}: ${res.status}`);
}

async function attempt(name, meeting) {
  const began = Date.now();
  let detail = "";
  try {
    await scenarios[name](meeting);
  } catch (err) {
    detail = err.stack ?? String(err);
  }
  return { name, ok: detail === "", detail, ms: Date.now() - began };
}

async function main() {
  const config = JSON.parse(process.argv[2]);
  const browsers = await Promise.all([1, 2].map(() => Browser.launch(config)));
  const meeting = { config, browsers };
  try {
    for (const name of config.scenarios) {
      console.log(JSON.stringify(await attempt(name, meeting)));
    }
  } finally {
    await Promise.all(browsers.map((b) => b.close()));
  }
}

main().catch((err) => {
  console.error(err);
  process.exit(1);
});
