"use strict";

const assert = require("node:assert/strict");

const eager = {
  reconnection: true,
  reconnectionDelay: 20,
  reconnectionDelayMax: 100,
  randomizationFactor: 0,
};

// What the server may see: a poll that was cut on its way is missed later.
const lost = ["transport close", "transport error", "ping timeout"];

// silent connects a socket and freezes its network.
async function silent(run) {
  const socket = await run.connect("proxied-beat");
  await run.upgraded(socket);
  await run.ask(socket, "echo");
  await run.control("freeze", "proxied-beat");
  return { socket, id: socket.id };
}

module.exports = {
  // The network drops the connection: the client comes back by itself, as
  // somebody new, and sends what was emitted in between.
  async reconnect(run) {
    const socket = await run.connect("proxied-beat", "/", eager);
    await run.upgraded(socket);
    const { id } = socket;
    const gone = run.next(socket, "disconnect");
    await run.control("cut", "proxied-beat");
    const [reason] = await gone;
    assert.ok(lost.includes(reason), reason);
    for (const i of [0, 1, 2]) socket.emit("number", i);
    await run.connected(socket);
    assert.notEqual(socket.id, id);
    assert.deepEqual(await run.ask(socket, "numbers"), [0, 1, 2]);
    const seen = await run.ending(socket, id);
    assert.ok(lost.includes(seen), seen);
  },

  // A quiet connection lives through three heartbeats.
  async heartbeat(run) {
    const socket = await run.connect("beat");
    const beat = run.version === 2 ? "pong" : "ping"; // what the server sends
    for (let beats = 0; beats < 3; ) {
      const [packet] = await run.next(socket.io.engine, "packet");
      if (packet.type === beat) beats++;
    }
    assert.equal(await run.ask(socket, "echo", "alive"), "alive");
    assert.equal((await run.ask(socket, "record", socket.id)).reason, null);
  },

  // The network goes silent without closing: the client notices.
  async silence(run) {
    const { socket } = await silent(run);
    assert.equal((await run.next(socket, "disconnect"))[0], "ping timeout");
    await run.control("cut", "proxied-beat");
  },

  // So does the server.
  async "silence-seen-by-server"(run) {
    const { id } = await silent(run);
    assert.equal(await run.ending(await run.connect(), id), "ping timeout");
    await run.control("cut", "proxied-beat");
  },
};
