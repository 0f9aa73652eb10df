"use strict";

// handle gives a socket the events of the contract.
function handle(io, socket, records) {
  socket.on("error", () => {}); // a client may name an event so
  handshake(socket);
  echoes(socket);
  rooms(socket);
  cluster(socket);
  sequences(socket);
  acks(socket, records);
  endings(socket, records);
}

function handshake(socket) {
  socket.on("auth", (ack) => ack(socket.handshake.auth));
  socket.on("query", (ack) => ack(socket.handshake.query));
  socket.on("recovered", (ack) => ack(socket.recovered));
  socket.on("data", (...args) => {
    const ack = args.pop();
    if (args.length > 0) socket.data.value = args[0];
    ack(socket.data.value ?? null);
  });
}

function echoes(socket) {
  socket.on("echo", (...args) => {
    if (typeof args.at(-1) === "function") args.pop()(...args);
  });
  socket.on("say-back", (...args) => socket.emit("said", ...args));
  socket.on("squeeze", (...args) => socket.compress(true).emit("said", ...args));
  socket.on("ask-me", (...args) => {
    const ack = args.pop();
    socket.emit("question", ...args, (...answer) => ack(...answer));
  });
}

function rooms(socket) {
  socket.on("join", async (names, ack) => {
    await socket.join(names);
    ack();
  });
  socket.on("leave", async (name, ack) => {
    await socket.leave(name);
    ack();
  });
  socket.on("rooms", (ack) => ack([...socket.rooms].sort()));
  socket.on("tell", (how, payload, ack) => {
    target(socket, how).emit(how.event ?? "told", payload);
    ack();
  });
}

// target turns {sender, to, except, volatile, local} into an operator. sender
// false leaves the sending socket out.
function target(socket, how) {
  let t = how.sender === false ? socket.broadcast : socket.nsp;
  for (const room of how.to ?? []) t = t.to(room);
  for (const room of how.except ?? []) t = t.except(room);
  if (how.volatile) t = t.volatile;
  if (how.local) t = t.local;
  return t;
}

function cluster(socket) {
  const nsp = socket.nsp;
  socket.on("members", async (room, ack) => {
    const found = await nsp.in(room).fetchSockets();
    ack(found.map((s) => s.id).sort());
  });
  socket.on("members-data", async (room, ack) => {
    const found = await nsp.in(room).fetchSockets();
    ack(found.map((s) => s.data.value ?? null).sort());
  });
  socket.on("poll", (room, ms, payload, ack) => {
    nsp.in(room).timeout(ms).emit("question", payload, (err, answers) => {
      ack({ error: err ? "timeout" : null, answers: answers.sort() });
    });
  });
  socket.on("move", (from, to, ack) => {
    nsp.in(from).socketsJoin(to);
    nsp.in(from).socketsLeave(from);
    ack();
  });
  socket.on("expel", (room, ack) => {
    nsp.in(room).disconnectSockets();
    ack();
  });
  socket.on("ask-nodes", (text, ack) => {
    nsp.serverSideEmit("note", text, (err, answers) => {
      ack({ error: err ? String(err) : null, answers });
    });
  });
}

function sequences(socket) {
  const seen = [];
  socket.on("count", (n) => {
    for (let i = 0; i < n; i++) socket.emit("number", i);
  });
  socket.on("number", (n) => seen.push(n));
  socket.on("numbers", (ack) => ack(seen));
}

function acks(socket, records) {
  socket.on("never", () => {});
  socket.on("late", (ms, ack) => setTimeout(ack, ms, "late"));
  socket.on("third-time", (id, ack) => {
    const n = records.attempt(id);
    if (n >= 3) ack(n);
  });
}

function endings(socket, records) {
  socket.on("kick", (close) => socket.disconnect(close));
  socket.on("record", (id, ack) => ack(records.of(id)));
}

module.exports = { handle };
