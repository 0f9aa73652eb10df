"use strict";

// Watches the page of orders while somebody follows docs/backends.md. Prints one JSON
// line for each section: {"name", "ok", "detail", "ms"}.
//
//   node backends.js '{"browser": "/usr/bin/chromium", "pages": [URL, URL], "control": URL}'
//
// POST control/SECTION does what a section of the document says.

const { chromium } = require("playwright-core");

const config = JSON.parse(process.argv[2]);
const patience = 30_000;
let pages;

const on = (page, name) => page.getByTestId(`orders-${name}`);

async function follow(section) {
  const answer = await fetch(`${config.control}/${section}`, { method: "POST" });
  if (!answer.ok) throw new Error(await answer.text());
}

// both waits for a text in a part of both pages.
const both = (name, text) => Promise.all(pages.map((page) => on(page, name).getByText(text).first().waitFor()));

const sections = {
  async Push() {
    await follow("Push");
    await both("toasts", "Hello from curl");
  },
  async Consume() {
    await on(pages[1], "order").click();
    await on(pages[1], "answers").getByText("queued").waitFor();
    await follow("Consume");
  },
  async Answer() {
    await follow("Answer");
    await on(pages[1], "answers").getByText("42 in all").waitFor();
    await on(pages[1], "answers").getByText("me", { exact: true }).waitFor();
  },
  async Tell() {
    await follow("Tell");
    await both("handled", "done by hand");
    await both("backends", "me");
  },
};

async function main() {
  const browser = await chromium.launch({ executablePath: config.browser, args: ["--no-sandbox", "--disable-gpu"] });
  const context = await browser.newContext();
  context.setDefaultTimeout(patience);
  pages = await Promise.all(config.pages.map(async (url) => {
    const page = await context.newPage();
    await page.goto(url);
    await on(page, "status").getByText("Connected").waitFor();
    return page;
  }));
  for (const [name, section] of Object.entries(sections)) {
    const begin = Date.now();
    let detail = "";
    try {
      await section();
    } catch (err) {
      detail = String(err?.stack ?? err);
    }
    console.log(JSON.stringify({ name, ok: detail === "", detail, ms: Date.now() - begin }));
  }
  await browser.close();
}

main();
