"use strict";

// Two people chat in real browsers, each on a node of its own, and one loses the
// connection. Prints one JSON line for each scenario: {"name", "ok", "detail",
// "ms"}.
//
//   node chat.js '{"browser": "/usr/bin/chromium", "profiles": DIR,
//                  "pages": [URL, URL], "control": URL}'
//
// Each browser has a profile directory of its own below DIR. POST control/cut
// resets every connection of the first page.

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

const patience = 15_000;

// Person is somebody with a browser.
class Person {
  static async at(config, url, name) {
    const context = await chromium.launchPersistentContext(path.join(config.profiles, name), {
      executablePath: config.browser,
      headless: true,
      args: flags,
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
    page.on("pageerror", (err) => this.errors.push(String(err)));
  }

  part(name) {
    return this.page.getByTestId(`chat-${name}`);
  }

  async join() {
    await this.status("Connected");
    await this.part("name").fill(this.name);
    await this.part("join").click();
    await this.part("input").waitFor();
  }

  async say(text) {
    await this.part("input").fill(text);
    await this.part("send").click();
  }

  status(text) {
    return this.shows("status", (got) => got === text, `status ${text}`);
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

  people(...names) {
    const all = (got) => names.every((name) => got.includes(name));
    return this.shows("people", all, `${names} in the room`);
  }

  without(name) {
    return this.shows("people", (got) => !got.includes(name), `that ${name} has left`);
  }

  // said returns all messages, oldest first.
  said() {
    return this.part("messages").locator("li.message .text").allInnerTexts();
  }

  // enter goes to a room, unless it is there.
  async enter(name) {
    const button = this.part("rooms").getByText(`# ${name}`, { exact: true });
    await button.click();
    await this.shows("title", (got) => got === `# ${name}`, `room ${name}`);
  }

  // marks waits until so many messages of this person have a mark.
  marks(n, mark) {
    const all = this.page.locator(`li.message.mine[data-mark="${mark}"]`);
    return this.until(`${n} messages ${mark}`, () => all.count(), (got) => got === n);
  }

  // look keeps what the page looks like, if somebody wants to see it.
  async look(name) {
    if (process.env.SCREENSHOTS) {
      await this.page.screenshot({ path: path.join(process.env.SCREENSHOTS, `chat-${name}.png`) });
    }
  }

  async hears(text) {
    await this.part("messages").getByText(text, { exact: true }).waitFor();
  }
}

const scenarios = {
  async "chat-join"({ ada, grace }) {
    await ada.join();
    await grace.join();
    for (const one of [ada, grace]) await one.people("Ada", "Grace", "node-1", "node-2");
  },

  async "chat-talk"({ ada, grace }) {
    await ada.say("hello from Ada");
    await grace.hears("hello from Ada");
    for (let i = 0; i < 5; i++) {
      await grace.say(`line ${i}`);
      await ada.hears(`line ${i}`);
    }
    assert.deepEqual(await ada.said(), await grace.said());
    assert.equal((await ada.said()).length, 6);
  },

  async "chat-plain-text"({ ada, grace }) {
    const text = '<img src=x onerror="document.title=1"> é€😀 \u2028 & "quoted"';
    await ada.say(text);
    const shown = await grace.until("it", () => grace.said(), (said) => said.length === 7);
    assert.equal(shown.at(-1).replace(/\s+/g, " "), text.replace(/\s+/g, " "));
    assert.equal(await grace.page.locator("img[src=x]").count(), 0);
  },

  // The marks of whoever speaks, and what somebody sees who comes later.
  async "chat-is-kept"({ ada, grace }) {
    await ada.marks(2, "stored");
    await grace.marks(5, "stored");
    const before = await ada.said();
    await ada.page.reload();
    await ada.join();
    await ada.until("the past", () => ada.said(), (said) => said.length === before.length);
    assert.deepEqual(await ada.said(), before);
    await grace.people("Ada", "Grace");
    await ada.look("kept");
  },

  async "chat-rooms"({ ada, grace }) {
    for (const one of [ada, grace]) await one.enter("random");
    assert.deepEqual(await ada.said(), []);
    for (let i = 0; i < 40; i++) await grace.say(`random ${i}`);
    await ada.hears("random 39");
    await grace.marks(40, "stored");
    await ada.enter("lobby");
    assert.ok(!(await ada.said()).some((text) => text.startsWith("random")));
    await ada.enter("random");
    await ada.until("all of the past", async () => {
      await ada.page.locator("#log").evaluate((log) => { log.scrollTop = 0; });
      return ada.said();
    }, (said) => said.length === 40);
    assert.deepEqual(await ada.said(), await grace.said());
    for (const one of [ada, grace]) {
      await one.enter("lobby");
      await one.until("the past", () => one.said(), (said) => said.length === 7);
    }
    await ada.people("Ada", "Grace");
    await grace.people("Ada", "Grace");
    await ada.look("lobby");
  },

  "chat-recovers": (room) => recovers(room, () => room.ada.part("break").click()),
  "chat-recovers-from-a-cut": (room) => recovers(room, () => control(room, "cut")),

  async "chat-leave"({ ada, grace }) {
    await grace.page.close();
    await ada.without("Grace");
  },

  async "chat-no-errors"({ ada, grace }) {
    assert.deepEqual([ada.errors, grace.errors], [[], []]);
  },
};

// recovers breaks the connection of one while the other goes on talking.
async function recovers({ ada, grace }, broken) {
  const before = await ada.said();
  await broken();
  await ada.status("Reconnecting…");
  const missed = [0, 1, 2].map((i) => `missed ${i} of ${before.length}`);
  for (const text of missed) await grace.say(text);
  await ada.status("Connected");
  await ada.shows("recovered", (got) => /^Recovered/.test(got), "that it has recovered");
  await ada.say(`back, after ${before.length}`);
  await grace.hears(`back, after ${before.length}`);
  await ada.hears(`back, after ${before.length}`);
  const want = [...before, ...missed, `back, after ${before.length}`];
  assert.deepEqual(await ada.said(), want);
  assert.deepEqual(await grace.said(), want);
}

async function control(room, what) {
  const res = await fetch(`${room.config.control}/${what}`, { method: "POST" });
  assert.ok(res.ok, `control ${what}: ${res.status}`);
}

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
    ada: await Person.at(config, config.pages[0], "Ada"),
    grace: await Person.at(config, config.pages[1], "Grace"),
  };
  try {
    for (const name of Object.keys(scenarios)) {
      console.log(JSON.stringify(await attempt(name, room)));
    }
  } finally {
    await Promise.all([room.ada.context.close(), room.grace.context.close()]);
  }
}

main().catch((err) => {
  console.error(err);
  process.exit(1);
});
