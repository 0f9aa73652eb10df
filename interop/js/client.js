"use strict";

// Runs the scenarios of interop/README.md with an official JavaScript client
// and prints one JSON line for each: {"name", "ok", "detail", "ms"}.
//
//   node client.js '{"version": 4, "transport": "polling", "targets": {…}}'
//
// targets: see the README. transport: polling, upgrade or websocket. only: a
// list of scenario names, default all.

const { Run } = require("./run");

const groups = [
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
];

async function main() {
  const config = JSON.parse(process.argv[2]);
  for (const group of groups) {
    for (const [name, scenario] of Object.entries(group)) {
      if (config.only && !config.only.includes(name)) continue;
      if (scenario.from > config.version) continue;
      console.log(JSON.stringify(await attempt(name, scenario, config)));
    }
  }
}

async function attempt(name, scenario, config) {
  const run = new Run(config);
  const began = Date.now();
  let detail = "";
  try {
    await run.within(20_000, "scenario", scenario(run));
  } catch (err) {
    detail = err.stack ?? String(err);
  }
  await run.close();
  return { name, ok: detail === "", detail, ms: Date.now() - began };
}

main().then(() => process.exit(0));
