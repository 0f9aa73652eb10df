"use strict";

const assert = require("node:assert/strict");

const numbers = (n) => Array.from({ length: n }, (_, i) => i);

module.exports = {
  async "order-up"(run) {
    const socket = await run.connect();
    for (const i of numbers(1000)) socket.emit("number", i);
    assert.deepEqual(await run.ask(socket, "numbers"), numbers(1000));
  },

  async "order-down"(run) {
    const socket = await run.connect();
    const got = run.collect(socket, "number", 1000);
    socket.emit("count", 1000);
    assert.deepEqual(await got, numbers(1000));
  },

  // Text and binary take turns: attachments must stay with their packet.
  async "order-mixed"(run) {
    const socket = await run.connect();
    const sent = numbers(200).map((i) => (i % 2 ? Buffer.from([i]) : i));
    const got = run.collect(socket, "said", 200);
    for (const value of sent) socket.emit("say-back", value);
    assert.deepEqual(await got, sent);
  },

  // Every acknowledgement comes back to its own question.
  async "order-acks"(run) {
    const socket = await run.connect();
    const got = await Promise.all(numbers(500).map((i) => run.ask(socket, "echo", i)));
    assert.deepEqual(got, numbers(500));
  },
};
