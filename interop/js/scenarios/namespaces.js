"use strict";

const assert = require("node:assert/strict");

// refused connects to a namespace that must not let it in.
async function refused(run, nsp, options) {
  const socket = run.open("main", nsp, options);
  const [why] = await run.next(socket, run.refusal);
  assert.equal(socket.connected, false);
  return why;
}

async function echoes(run, nsp) {
  const socket = await run.connect("main", nsp);
  assert.equal(await run.ask(socket, "echo", nsp), nsp);
}

module.exports = {
  "namespace-static": (run) => echoes(run, "/custom"),
  "namespace-dynamic": (run) => echoes(run, "/dyn-101"),

  async "namespace-unknown"(run) {
    for (const nsp of ["/unknown", "/dyn-x"]) {
      const why = await refused(run, nsp);
      assert.equal(why.message, "Invalid namespace");
    }
  },

  async "namespace-refused"(run) {
    const why = await refused(run, "/refused");
    if (run.version === 2) return assert.deepEqual(why, { code: 42 });
    assert.equal(why.message, "not authorized");
    assert.deepEqual(why.data, { code: 42 });
  },

  async "namespace-refused-plain"(run) {
    const why = await refused(run, "/refused-plain");
    if (run.version === 2) return assert.equal(why, "not authorized");
    assert.equal(why.message, "not authorized");
    assert.equal(why.data, undefined);
  },

  async "namespace-guarded"(run) {
    const show = (token) => (run.version === 2 ? { query: { token } } : { auth: { token } });
    const socket = await run.connect("main", "/guarded", show("secret"));
    assert.equal(await run.ask(socket, "echo", 1), 1);
    await refused(run, "/guarded", show("guess"));
  },

  // Two namespaces share a connection; leaving one keeps the other.
  async "namespace-shared"(run) {
    const main = await run.connect();
    const custom = main.io.socket("/custom", {});
    await run.connected(custom);
    const left = run.next(custom, "disconnect");
    custom.disconnect();
    assert.equal((await left)[0], "io client disconnect");
    assert.equal(await run.ask(main, "echo", "still here"), "still here");
    custom.connect();
    await run.connected(custom);
    assert.equal(await run.ask(custom, "echo", "again"), "again");
  },
};
