"use strict";

const assert = require("node:assert/strict");

// reason asks the server why a socket left.
const reason = async (run, id) => run.ending(await run.connect(), id);

async function kicked(run, close) {
  const socket = await run.connect();
  const { id } = socket;
  const gone = run.next(socket, "disconnect");
  socket.emit("kick", close);
  assert.equal((await gone)[0], "io server disconnect");
  assert.equal(await reason(run, id), "server namespace disconnect");
}

module.exports = {
  async "disconnect-by-client"(run) {
    const socket = await run.connect();
    const { id } = socket;
    const gone = run.next(socket, "disconnect");
    socket.disconnect();
    assert.equal((await gone)[0], "io client disconnect");
    assert.equal(await reason(run, id), "client namespace disconnect");
  },

  // The engine goes away without a word of Socket.IO.
  async "disconnect-raw"(run) {
    const socket = await run.connect();
    await run.upgraded(socket);
    const { id } = socket;
    const gone = run.next(socket, "disconnect");
    socket.io.engine.close();
    assert.equal((await gone)[0], "forced close");
    assert.equal(await reason(run, id), "transport close");
  },

  "disconnect-by-server": (run) => kicked(run, false),
  "disconnect-by-server-closing": (run) => kicked(run, true),

  // What was sent before the end still arrives.
  async "disconnect-after-words"(run) {
    const socket = await run.connect();
    const got = [];
    socket.on("number", (n) => got.push(n));
    const gone = run.next(socket, "disconnect");
    socket.emit("count", 100);
    socket.emit("kick", true);
    await gone;
    assert.equal(got.length, 100);
  },

  async "connect-again"(run) {
    const socket = await run.connect();
    const { id } = socket;
    // Clients before version 4 cannot open again while the engine still closes.
    const closed = run.next(socket.io.engine, "close");
    socket.disconnect();
    if (run.version < 4) await closed;
    socket.connect();
    await run.next(socket, "connect");
    assert.notEqual(socket.id, id);
    assert.equal(await run.ask(socket, "echo", 1), 1);
  },

  // More than the server takes in one message ends the connection.
  async "too-big"(run) {
    const socket = await run.connect("small");
    await run.upgraded(socket);
    const { id } = socket;
    const gone = run.next(socket, "disconnect");
    socket.emit("echo", "x".repeat(20_000));
    const [why, seen] = [(await gone)[0], await reason(run, id)];
    if (run.transport === "polling") {
      assert.equal(why, "transport error"); // the answer was 413
      assert.match(seen, /^transport (close|error)$/); // the client ended it
    } else {
      assert.equal(why, "transport close");
      assert.equal(seen, "transport error");
    }
  },

  async "just-fits"(run) {
    const socket = await run.connect("small");
    const payload = "x".repeat(9000);
    assert.equal(await run.ask(socket, "echo", payload), payload);
  },
};
