"use strict";

const assert = require("node:assert/strict");

// same sends the arguments and expects them back unchanged, by acknowledgement
// and as an event.
async function same(run, ...args) {
  const socket = await run.connect();
  assert.deepEqual(await run.asks(socket, "echo", ...args), args);
  const said = run.next(socket, "said");
  socket.emit("say-back", ...args);
  assert.deepEqual(await said, args);
}

const text = (n) => "0123456789abcdef".repeat(n / 16);

module.exports = {
  "echo-strings": (run) => same(run, "", "a", 'quote " back \\ slash', "line\nfeed\ttab\u0000"),
  "echo-unicode": (run) => same(run, "é€😀", "\u2028\u2029", "日本語", "👩‍👩‍👧", "\u001e"),
  "echo-numbers": (run) =>
    same(run, 0, -1, 1.5, 1e21, 5e-324, Number.MAX_SAFE_INTEGER, true, false, null),
  "echo-nested": (run) => same(run, [[], {}, [[1]]], { a: { b: [{ c: null }] }, "": 0, "é": [] }),
  "echo-100k": (run) => same(run, text(100_000)),
  "echo-900k": (run) => same(run, text(900_000)),

  "binary-one": (run) => same(run, Buffer.from([0, 1, 2, 254, 255])),
  "binary-many": (run) =>
    same(run, Buffer.from("a"), "between", Buffer.alloc(70_000, 7), Buffer.from([0x1e])),
  "binary-nested": (run) =>
    same(run, { list: [Buffer.from("x"), { deep: Buffer.from("y") }] }, [Buffer.from("z")]),
  "binary-empty": (run) => same(run, Buffer.alloc(0), Buffer.from("after")),
  "binary-900k": (run) => same(run, Buffer.alloc(640_000, 0xa5)),

  async "binary-looks-alike"(run) {
    const socket = await run.connect();
    const fake = { _placeholder: true, num: 7 };
    assert.deepEqual(await run.ask(socket, "echo", fake), fake);
  },
};
