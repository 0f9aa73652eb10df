"use strict";

// Records is what the server remembers of every socket that connected: the
// events that reached the application, and why it left.
class Records {
  constructor() {
    this.sockets = new Map();
    this.tries = new Map();
  }

  follow(socket) {
    const record = { events: [], reason: null };
    this.sockets.set(socket.id, record);
    socket.onAny((...event) => record.events.push(plain(event)));
    socket.on("disconnect", (reason) => (record.reason = reason));
  }

  of(id) {
    return this.sockets.get(id) ?? null;
  }

  // attempt counts how often id was seen, this time included.
  attempt(id) {
    const n = (this.tries.get(id) ?? 0) + 1;
    this.tries.set(id, n);
    return n;
  }
}

// plain drops the ack function and writes binary as {"hex": "..."}.
function plain(event) {
  return event.filter((arg) => typeof arg !== "function").map(hexed);
}

function hexed(value) {
  if (Buffer.isBuffer(value)) return { hex: value.toString("hex") };
  if (Array.isArray(value)) return value.map(hexed);
  if (value === null || typeof value !== "object") return value;
  const out = Object.create(null);
  for (const key of Object.keys(value)) out[key] = hexed(value[key]);
  return out;
}

module.exports = { Records };
