"use strict";

const assert = require("node:assert/strict");

module.exports = {
  async connect(run) {
    const socket = await run.connect();
    assert.match(socket.id, /^[A-Za-z0-9_-]{20}$/);
    const another = await run.connect();
    assert.notEqual(socket.id, another.id);
  },

  async transport(run) {
    const socket = await run.connect();
    await run.upgraded(socket);
    const want = run.transport === "polling" ? "polling" : "websocket";
    assert.equal(socket.io.engine.transport.name, want);
    assert.equal(await run.ask(socket, "echo", "after"), "after");
  },

  async query(run) {
    const sent = { name: "x y&z=é" };
    const socket = await run.connect("main", "/", { query: sent });
    assert.equal((await run.ask(socket, "query")).name, sent.name);
  },

  async auth(run) {
    const auth = { token: "s3cret", n: 1, deep: { list: ["é", null] } };
    if (run.version === 2) {
      // Its users write the query behind the namespace; strings only.
      const socket = await run.connect("main", "/custom?token=s3cret");
      assert.deepEqual(await run.ask(socket, "auth"), { token: "s3cret" });
      return;
    }
    const socket = await run.connect("main", "/", { auth });
    assert.deepEqual(await run.ask(socket, "auth"), auth);
    const later = await run.connect("main", "/", { auth: (give) => give({ late: true }) });
    assert.deepEqual(await run.ask(later, "auth"), { late: true });
  },
};
