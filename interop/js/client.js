"use strict";

// Runs the scenarios of interop/README.md with an official JavaScript client
// and prints one JSON line for each: {"name", "ok", "detail", "ms"}.
//
//   node client.js '{"version": 4, "transport": "polling", "targets": {…}}'
//
// targets: see the README. transport: polling, upgrade or websocket. scenarios:
// the names of those to run.

const { Run } = require("./run");

const known = Object.assign(
  {},
  require("./scenarios/connect"),
  require("./scenarios/echo"),
  require("./scenarios/namespaces"),
  require("./scenarios/rooms"),
  require("./scenarios/order"),
  require("./scenarios/acks"),
  require("./scenarios/endings"),
  require("./scenarios/links"),
  require("./scenarios/recovery"),
  require("./scenarios/cluster"),
  require("./scenarios/options"),
);

async function main() {
  const config = JSON.parse(process.argv[2]);
  for (const name of config.scenarios) {
    console.log(JSON.stringify(await attempt(name, config)));
  }
}

async function attempt(name, config) {
  const run = new Run(config);
  const began = Date.now();
  let detail = "";
  try {
    if (!known[name]) throw new Error("no such scenario");
    await run.within(20_000, "scenario", known[name](run));
  } catch (err) {
    detail = err.stack ?? String(err);
  }
  await run.close();
  return { name, ok: detail === "", detail, ms: Date.now() - began };
}

main().then(() => process.exit(0));
