"use strict";

const assert = require("node:assert/strict");

// pair connects one socket to each of two nodes and puts both into a room.
async function pair(run) {
  const room = run.id("room");
  const [a, b] = [await run.connect("a"), await run.connect("b")];
  await run.ask(a, "join", [room]);
  await run.ask(b, "join", [room]);
  return { room, a, b };
}

module.exports = {
  async "cluster-room"(run) {
    const { room, a, b } = await pair(run);
    const got = [run.next(a, "told"), run.next(b, "told")];
    await run.ask(a, "tell", { to: [room] }, { from: "a", blob: Buffer.from([1]) });
    for (const one of await Promise.all(got)) {
      assert.deepEqual(one, [{ from: "a", blob: Buffer.from([1]) }]);
    }
  },

  async "cluster-order"(run) {
    const { room, a, b } = await pair(run);
    const got = run.collect(b, "told", 300);
    for (let i = 0; i < 300; i++) a.emit("tell", { to: [room] }, i, () => {});
    assert.deepEqual(await got, Array.from({ length: 300 }, (_, i) => i));
  },

  async "cluster-except"(run) {
    const { room, a, b } = await pair(run);
    const heard = [];
    b.on("told", (payload) => heard.push(payload));
    await run.ask(a, "tell", { to: [room], except: [b.id] }, 1);
    await run.ask(a, "tell", { to: [room], local: true }, 2);
    await run.ask(b, "tell", { to: [room], sender: false }, 3);
    const last = run.next(b, "told");
    await run.ask(a, "tell", { to: [b.id] }, "last");
    await last;
    assert.deepEqual(heard, ["last"]);
  },

  async "cluster-members"(run) {
    const { room, a, b } = await pair(run);
    assert.deepEqual(await run.ask(a, "members", room), [a.id, b.id].sort());
    await run.ask(a, "data", "of a");
    await run.ask(b, "data", "of b");
    assert.deepEqual(await run.ask(a, "members-data", room), ["of a", "of b"]);
  },

  async "cluster-poll"(run) {
    const { room, a, b } = await pair(run);
    a.on("question", (n, ack) => ack(n + 1));
    b.on("question", (n, ack) => ack(n + 2));
    const result = await run.ask(a, "poll", room, 5000, 10);
    assert.deepEqual(result, { error: null, answers: [11, 12] });
  },

  async "cluster-move"(run) {
    const { room, a, b } = await pair(run);
    const other = run.id("other");
    await run.ask(a, "move", room, other);
    await run.until("b has moved", async () => (await run.ask(b, "rooms")).includes(other));
    await run.until("b has left", async () => !(await run.ask(b, "rooms")).includes(room));
  },

  async "cluster-expel"(run) {
    const { room, a, b } = await pair(run);
    const gone = [run.next(a, "disconnect"), run.next(b, "disconnect")];
    a.emit("expel", room, () => {});
    for (const [reason] of await Promise.all(gone)) {
      assert.equal(reason, "io server disconnect");
    }
  },

  async "cluster-nodes"(run) {
    const { a } = await pair(run);
    const result = await run.ask(a, "ask-nodes", "hi");
    assert.deepEqual(result, { error: null, answers: ["hi noted"] });
  },
};
