"use strict";

// Many unmodified socket.io-clients, which write down what happens to them.
//
//   node fleet.js PLAN.json LOG
//
// PLAN: {"url": …, "clients": [{"rooms": ["3", "7"], "transports": ["websocket"]}]}
// LOG:  a line for each event; account/log.go has the forms.
//
// It prints a JSON line {"connected","joined","received"} five times a second,
// and ends when its standard input ends.

const fs = require("node:fs");
const { io } = require("socket.io-client");

const plan = JSON.parse(fs.readFileSync(process.argv[2], "utf8"));
const log = fs.openSync(process.argv[3], "a");

let lines = [];
const now = { connected: 0, joined: 0, received: 0 };

function write(kind, client, ...rest) {
  lines.push([kind, Date.now(), client, ...rest].join(" "));
}

function flush() {
  if (lines.length > 0) fs.writeSync(log, lines.join("\n") + "\n");
  lines = [];
}

// join enters the rooms of a client, again after each connection that did not
// bring them back.
function join(socket, client, rooms) {
  let left = rooms.length;
  for (const room of rooms) {
    socket.emit("join", room, () => {
      left -= 1;
      if (left > 0) return;
      socket.everywhere = true;
      now.joined += 1;
      write("j", client);
    });
  }
}

// oneLine keeps a text from becoming several lines of the log.
function oneLine(text) {
  return String(text).replace(/\s+/g, " ") || "-";
}

function start({ rooms, transports }, client) {
  const socket = io(plan.url, {
    transports,
    forceNew: true,
    // For balancers that have to keep a client on one server.
    extraHeaders: { "x-client": String(client) },
  });
  socket.everywhere = false;

  socket.on("connect", () => {
    now.connected += 1;
    write("c", client, socket.recovered ? 1 : 0, socket.id);
    if (!socket.recovered && socket.everywhere) {
      socket.everywhere = false;
      now.joined -= 1;
    }
    if (!socket.everywhere) join(socket, client, rooms);
  });
  socket.on("disconnect", (reason) => {
    now.connected -= 1;
    write("d", client, oneLine(reason));
    // The server does that to a client whose messages it cannot account for any
    // more: it is told, and the application connects again.
    if (reason === "io server disconnect") socket.connect();
  });
  // An error that ends the attempts: the documentation says to try again by hand.
  socket.on("connect_error", (err) => {
    if (socket.active) return;
    write("r", client, oneLine(err.message));
    setTimeout(() => socket.connect(), 1000);
  });
  socket.on("m", (stream, number) => {
    if (!Number.isInteger(stream) || !Number.isInteger(number)) {
      write("x", client, oneLine(`event m of ${JSON.stringify([stream, number])}`));
      return;
    }
    now.received += 1;
    write("m", client, stream, number);
  });
}

plan.clients.forEach(start);

setInterval(() => {
  flush();
  console.log(JSON.stringify(now));
}, 200);

process.stdin
  .on("end", () => {
    flush();
    process.exit(0);
  })
  .resume();
