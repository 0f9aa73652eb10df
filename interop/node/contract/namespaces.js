"use strict";

const { handle } = require("./events");

// serve opens the namespaces of the contract.
function serve(io, records) {
  const accept = (socket) => {
    records.follow(socket);
    handle(io, socket, records);
  };
  io.on("connection", accept);
  io.of("/custom").on("connection", accept);
  io.of(/^\/dyn-\d+$/).on("connection", accept);
  io.of("/guarded").use(guard).on("connection", accept);
  io.of("/refused").use(refuse({ code: 42 }));
  io.of("/refused-plain").use(refuse());
  io.of("/silent").use(() => {});
  io.on("note", (text, answer) => answer(`${text} noted`));
}

// guard lets in who shows the secret.
function guard(socket, next) {
  const { token } = { ...socket.handshake.query, ...socket.handshake.auth };
  next(token === "secret" ? undefined : new Error("wrong token"));
}

function refuse(data) {
  return (socket, next) => {
    const err = new Error("not authorized");
    if (data) err.data = data;
    next(err);
  };
}

module.exports = { serve };
