"use strict";

// People use the page of orders in real browsers, each on a node of its own. Prints
// one JSON line for each scenario: {"name", "ok", "detail", "ms"}.
//
//   node orders.js '{"browser": "/usr/bin/chromium", "pages": [URL, URL],
//                    "control": URL, "scenarios": [NAME, …]}'
//
// POST control/cut resets every connection of the second page. Screenshots go to the
// folder that SCREENSHOTS names, if it does.

const assert = require("node:assert/strict");
const path = require("node:path");
const { chromium } = require("playwright-core");

const config = JSON.parse(process.argv[2]);
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

class Person {
  static async at(browser, url, options) {
    const context = await browser.newContext(options);
    context.setDefaultTimeout(patience);
    const person = new Person(await context.newPage());
    await person.page.goto(url);
    await person.shows("status", (text) => text === "Connected");
    await person.shows("by-stomp", (text) => text === "0");
    return person;
  }

  constructor(page) {
    this.page = page;
    this.errors = [];
    page.on("pageerror", (err) => this.errors.push(String(err)));
  }

  part(name) {
    return this.page.getByTestId(`orders-${name}`);
  }

  // shows waits until the text of a part is right.
  async shows(name, right) {
    for (const end = Date.now() + patience; ; ) {
      const got = await this.part(name).innerText();
      if (right(got)) return got;
      if (Date.now() > end) throw new Error(`${name} shows ${JSON.stringify(got)}`);
      await this.page.waitForTimeout(50);
    }
  }

  // lines waits for that many lines of a list.
  async lines(name, count) {
    await this.shows(name, () => true);
    const items = this.part(name).locator("li");
    await items.nth(count - 1).waitFor();
    return items.allInnerTexts();
  }

  // press is without a mouse.
  async press(name, key = "Enter") {
    await this.part(name).focus();
    await this.page.keyboard.press(key);
  }

  // counts waits until this page has had as many handled events by each protocol.
  async counts(total) {
    for (const protocol of ["stomp", "socketio", "sse"]) {
      await this.shows(`by-${protocol}`, (text) => text === String(total));
    }
  }

  async screenshot(name) {
    if (process.env.SCREENSHOTS) {
      await this.page.screenshot({ path: path.join(process.env.SCREENSHOTS, `orders-${name}.png`), fullPage: true });
    }
  }

  // fits fails if the page is wider than the window.
  async fits() {
    const [page, window] = await this.page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    assert.ok(page <= window, `the page is ${page} wide in a window of ${window}`);
  }
}

let desk;
let phone;
let total = 0; // events handled so far

const scenarios = {
  // Both pages see both backends before any event.
  async "orders-page-backends"() {
    for (const person of [desk, phone]) {
      const lines = await person.lines("backends", 2);
      assert.match(lines.join(), /backend-A.*backend-B/s);
      await person.fits();
    }
  },

  async "orders-page-order"() {
    await desk.part("quantity").fill("3");
    await desk.press("order");
    const [line] = await desk.lines("answers", 1);
    assert.match(line, /^3 × bell/);
    await desk.page.getByTestId("orders-answers").getByText("360 in all").waitFor();
    await desk.part("answers").locator(".badge").waitFor();
    for (const person of [desk, phone]) {
      assert.match((await person.lines("handled", 1))[0], /backend-[AB]\s*order\s*3 × bell/);
    }
    total += 1;
  },

  async "orders-page-refused"() {
    await desk.part("item").selectOption("cannon");
    await desk.press("order");
    await desk.part("answers").getByText("there is no \"cannon\"").waitFor();
    total += 1;
  },

  async "orders-page-tests"() {
    await phone.press("many", "Space");
    await phone.shows("sent", (text) => text.startsWith("20 accepted"));
    total += 20;
    await desk.counts(total);
    await phone.counts(total);
    const handled = await desk.part("handled").locator(".badge").allInnerTexts();
    assert.deepEqual([...new Set(handled)].sort(), ["backend-A", "backend-B"]);
  },

  async "orders-page-greeting"() {
    await desk.part("name").fill("Ada");
    await desk.page.keyboard.press("Enter");
    for (const person of [desk, phone]) {
      assert.match((await person.lines("greetings", 1))[0], /^Hello, Ada! This is backend-[AB]\.$/);
    }
    total += 1;
  },

  async "orders-page-notification"() {
    await phone.part("message").fill("<b>Noon</b>");
    await phone.page.keyboard.press("Enter");
    for (const person of [desk, phone]) {
      assert.deepEqual(await person.lines("toasts", 1), ["<b>Noon</b>"]);
    }
    await desk.screenshot("desktop");
    await phone.screenshot("phone");
  },

  // What is ordered while the connection is broken is done when it is back, once.
  async "orders-page-reconnects"() {
    await fetch(`${config.control}/cut`, { method: "POST" });
    await phone.shows("status", (text) => text === "Reconnecting…");
    await phone.press("order");
    await phone.shows("status", (text) => text === "Connected");
    await phone.part("answers").getByText("120 in all").waitFor();
    total += 1;
    await desk.counts(total);
    assert.equal((await phone.lines("answers", 1)).length, 1);
  },

  async "orders-page-no-errors"() {
    assert.deepEqual([...desk.errors, ...phone.errors], []);
    assert.equal(await desk.part("problem").innerText(), "");
  },
};

async function main() {
  const browser = await chromium.launch({ executablePath: config.browser, headless: true, args: flags });
  desk = await Person.at(browser, config.pages[0], { viewport: { width: 1200, height: 900 } });
  phone = await Person.at(browser, config.pages[1], { viewport: { width: 375, height: 760 }, colorScheme: "dark", isMobile: true });
  for (const name of config.scenarios) {
    const begin = Date.now();
    let detail = "";
    try {
      await scenarios[name]();
    } catch (err) {
      detail = String(err?.stack ?? err);
    }
    console.log(JSON.stringify({ name, ok: detail === "", detail, ms: Date.now() - begin }));
  }
  await browser.close();
}

main();
