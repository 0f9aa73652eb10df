"use strict";

const assert = require("node:assert/strict");

module.exports = {
  async msgpack(run) {
    const parser = require("socket.io-msgpack-parser");
    const socket = await run.connect("msgpack", "/", { parser });
    const args = ["é😀", -1, 1.5, null, true, { a: [1, { b: "c" }] }, 4294967296];
    assert.deepEqual(await run.asks(socket, "echo", ...args), args);
    const blob = { list: [Buffer.from([1, 2, 3]), Buffer.alloc(70_000, 1)] };
    const back = await run.ask(socket, "echo", blob);
    assert.deepEqual(back.list.map((b) => Buffer.from(b)), blob.list);
    const said = run.next(socket, "said");
    socket.emit("say-back", "x", 1);
    assert.deepEqual(await said, ["x", 1]);
    const refused = run.open("msgpack", "/refused", { parser });
    const [why] = await run.next(refused, "connect_error");
    assert.equal(why.message, "not authorized");
    assert.deepEqual(why.data, { code: 42 });
  },

  // Messages above the threshold are compressed in both directions.
  async compress(run) {
    const socket = await run.connect("squeeze", "/", { perMessageDeflate: { threshold: 0 } });
    await run.upgraded(socket);
    const { ws } = socket.io.engine.transport;
    if (ws) assert.match(ws.extensions, /permessage-deflate/);
    const long = "compressible ".repeat(5000);
    assert.equal(await run.ask(socket.compress(true), "echo", long), long);
    const said = run.next(socket, "said");
    socket.emit("squeeze", long);
    assert.equal((await said)[0], long);
    assert.equal(await run.ask(socket.compress(false), "echo", "short"), "short");
  },
};
