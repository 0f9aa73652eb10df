"use strict";

const assert = require("node:assert/strict");

// answer replies to the server's questions with what it was asked.
const answer = (socket) => socket.on("question", (...args) => args.pop()(...args, "answered"));

module.exports = {
  async "ack-from-client"(run) {
    const socket = await run.connect();
    answer(socket);
    assert.deepEqual(await run.asks(socket, "ask-me", "é", { a: 1 }), ["é", { a: 1 }, "answered"]);
    const blob = Buffer.from([9, 8, 7]);
    assert.deepEqual(await run.asks(socket, "ask-me", blob), [blob, "answered"]);
  },

  async "ack-broadcast"(run) {
    const room = run.id("room");
    for (const n of [1, 2]) {
      const member = await run.connect();
      member.on("question", (payload, ack) => ack(payload + n));
      await run.ask(member, "join", [room]);
    }
    const asker = await run.connect();
    const result = await run.ask(asker, "poll", room, 5000, 10);
    assert.deepEqual(result, { error: null, answers: [11, 12] });
  },

  // One of two members never answers: an error and the answers that came.
  async "ack-broadcast-timeout"(run) {
    const room = run.id("room");
    const [answers, mute] = [await run.connect(), await run.connect()];
    answers.on("question", (payload, ack) => ack(payload));
    mute.on("question", () => {});
    await run.ask(answers, "join", [room]);
    await run.ask(mute, "join", [room]);
    const result = await run.ask(answers, "poll", room, 1000, "x");
    assert.deepEqual(result, { error: "timeout", answers: ["x"] });
  },

  async "ack-timeout"(run) {
    const socket = await run.connect();
    await assert.rejects(socket.timeout(50).emitWithAck("never"), /timed out/);
    await assert.rejects(socket.timeout(50).emitWithAck("late", 1000), /timed out/);
    assert.equal(await socket.timeout(5000).emitWithAck("late", 20), "late");
  },

  async "ack-retries"(run) {
    const socket = await run.connect("main", "/", { retries: 4, ackTimeout: 150 });
    const first = socket.emitWithAck("third-time", run.id("try"));
    const second = socket.emitWithAck("echo", "after the first");
    assert.equal(await first, 3);
    assert.equal(await second, "after the first");
    const given = run.id("try");
    const poor = await run.connect("main", "/", { retries: 1, ackTimeout: 100 });
    await assert.rejects(poor.emitWithAck("third-time", given), /timed out/);
  },
};
