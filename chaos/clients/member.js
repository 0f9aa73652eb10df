"use strict";

// A client that is in rooms and writes down what happens to it.

const { io } = require("socket.io-client");
const { oneLine } = require("./diary.js");

// join enters the rooms of a client, again after each connection that did not bring
// them back.
function join(socket, client, rooms, { write, now }) {
  let left = rooms.length;
  for (const room of rooms) {
    socket.emit("join", room, (answer) => {
      if (answer?.error) {
        write("x", client, oneLine(`join ${room}: ${JSON.stringify(answer.error)}`));
        return;
      }
      left -= 1;
      if (left > 0) return;
      socket.everywhere = true;
      now.joined += 1;
      write("j", client);
    });
  }
}

// start connects a client; book has write and now: connected, joined.
function start(url, { rooms, transports, auth }, client, book) {
  const { write, now } = book;
  const socket = io(url, {
    transports,
    auth,
    forceNew: true,
    // For balancers that have to keep a client on one server.
    extraHeaders: { "x-client": String(client) },
  });
  socket.everywhere = false;

  let there = false;
  socket.on("connect", () => {
    now.connected += 1;
    there = true;
    write("c", client, socket.recovered ? 1 : 0, socket.id);
    if (!socket.recovered && socket.everywhere) {
      socket.everywhere = false;
      now.joined -= 1;
    }
    if (!socket.everywhere) join(socket, client, rooms, book);
  });
  socket.on("disconnect", (reason) => {
    // It says so again when an attempt to come back fails halfway.
    if (there) now.connected -= 1;
    there = false;
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
  return socket;
}

module.exports = { start };
