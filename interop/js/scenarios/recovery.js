"use strict";

const assert = require("node:assert/strict");

// Somebody is a socket that may come back, in a room, with an offset to show.
async function somebody(run, profile, room) {
  const socket = await run.connect(profile);
  await run.upgraded(socket);
  const got = [];
  socket.on("told", (payload) => got.push(payload));
  await run.ask(socket, "join", [room]);
  await run.ask(socket, "data", { name: "é" });
  await run.ask(socket, "tell", { to: [room] }, "first");
  await run.until("the first message", async () => {
    await run.ask(socket, "echo");
    return got.length === 1;
  });
  return { socket, got };
}

// lose ends the connection of a socket and waits until the server knows.
async function lose(run, socket, other, end) {
  const { id } = socket;
  const gone = run.next(socket, "disconnect");
  await end();
  await gone;
  await run.ending(other, id);
}

// missed is told by another while somebody is away.
async function missed(run, other, room) {
  for (let i = 0; i < 20; i++) await run.ask(other, "tell", { to: [room] }, i);
  await run.ask(other, "tell", { to: [run.id("elsewhere")] }, "not for it");
  await run.ask(other, "tell", { to: [room], except: [room] }, "not for it either");
  await run.ask(other, "tell", { to: [room], volatile: true }, "gone with the wind");
  await run.ask(other, "tell", { to: [room] }, Buffer.from([1]));
  return ["first", ...Array.from({ length: 20 }, (_, i) => i), Buffer.from([1])];
}

async function recovers(run, profile, end) {
  const room = run.id("room");
  const { socket, got } = await somebody(run, profile, room);
  const { id } = socket;
  const other = await run.connect("recovery");
  await lose(run, socket, other, () => end(socket));
  const want = await missed(run, other, room);
  socket.connect();
  await run.next(socket, "connect");
  assert.equal(socket.recovered, true);
  assert.equal(socket.id, id);
  assert.equal(await run.ask(socket, "recovered"), true);
  assert.deepEqual(await run.ask(socket, "data"), { name: "é" });
  assert.deepEqual(await run.ask(socket, "rooms"), [room, id].sort());
  assert.deepEqual(got, want);
  await run.ask(socket, "tell", { to: [room] }, "live again");
  await run.ask(socket, "echo");
  assert.deepEqual(got, [...want, "live again"]);
}

module.exports = {
  "recovery-raw-close": (run) =>
    recovers(run, "recovery", (socket) => socket.io.engine.close()),

  "recovery-cut": (run) =>
    recovers(run, "proxied-recovery", () => run.control("cut", "proxied-recovery")),

  // Who says goodbye is forgotten.
  async "recovery-not-after-leave"(run) {
    const { socket } = await somebody(run, "recovery", run.id("room"));
    const { id } = socket;
    socket.disconnect();
    socket.connect();
    await run.next(socket, "connect");
    assert.equal(socket.recovered, false);
    assert.notEqual(socket.id, id);
    assert.equal(await run.ask(socket, "data"), null);
  },

  // A session can be taken over more than once in a row.
  async "recovery-twice"(run) {
    const room = run.id("room");
    const { socket, got } = await somebody(run, "recovery", room);
    const { id } = socket;
    const other = await run.connect("recovery");
    for (const word of ["second", "third"]) {
      await lose(run, socket, other, () => socket.io.engine.close());
      await run.ask(other, "tell", { to: [room] }, word);
      socket.connect();
      await run.next(socket, "connect");
      assert.equal(socket.recovered, true);
      assert.equal(socket.id, id);
    }
    await run.ask(socket, "echo");
    assert.deepEqual(got, ["first", "second", "third"]);
  },

  // The client comes back to another node, and loses nothing of what both said.
  async "recovery-on-other-node"(run) {
    const room = run.id("room");
    const { socket, got } = await somebody(run, "recovery-a", room);
    const { id } = socket;
    const a = await run.connect("recovery-a");
    const b = await run.connect("recovery-b");
    await lose(run, socket, a, () => socket.io.engine.close());
    for (const word of ["by a", "by b"]) {
      await run.ask(word === "by a" ? a : b, "tell", { to: [room] }, word);
    }
    socket.io.uri = run.targets.urls["recovery-b"];
    socket.connect();
    await run.next(socket, "connect");
    assert.equal(socket.recovered, true);
    assert.equal(socket.id, id);
    assert.deepEqual(await run.ask(socket, "data"), { name: "é" });
    await run.ask(a, "tell", { to: [room] }, "live again");
    await run.until("the last word", async () => {
      await run.ask(socket, "echo");
      return got.length === 4;
    });
    assert.deepEqual(got, ["first", "by a", "by b", "live again"]);
  },

  // The client is back before the server has noticed that it was away: the old
  // connection still looks alive.
  async "recovery-half-open"(run) {
    const room = run.id("room");
    const { socket, got } = await somebody(run, "proxied-recovery", room);
    const { id } = socket;
    const other = await run.connect("recovery");
    await run.control("freeze", "proxied-recovery");
    await run.ask(other, "tell", { to: [room] }, "into the void");
    socket.io.engine.close();
    socket.io.uri = run.targets.urls.recovery; // around the frozen proxy
    socket.connect();
    await run.next(socket, "connect");
    assert.equal(socket.recovered, true);
    assert.equal(socket.id, id);
    await run.ask(socket, "tell", { to: [room] }, "live again");
    await run.ask(socket, "echo");
    assert.deepEqual(got, ["first", "into the void", "live again"]);
    await run.control("cut", "proxied-recovery");
  },
};
