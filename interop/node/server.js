"use strict";

// The contract of `belfry bench` on Node's Socket.IO, as it is out of the box:
// the peer that Belfry is compared with.
//
//   node server.js --port 3000 [--host 127.0.0.1] [--engine ws|eiows]
//
// eiows is a WebSocket engine in C++; eiows/build.sh builds it.

const http = require("node:http");
const { parseArgs } = require("node:util");
const { Server } = require("socket.io");

const { values } = parseArgs({
  options: {
    port: { type: "string", default: "3000" },
    host: { type: "string", default: "127.0.0.1" },
    engine: { type: "string", default: "ws" },
  },
});

const engines = {
  ws: () => ({}),
  eiows: () => ({ wsEngine: require("./eiows/node_modules/eiows").Server }),
};

function options(engine) {
  if (!Object.hasOwn(engines, engine)) {
    throw new Error(`--engine is ${engine}: want ${Object.keys(engines).join(" or ")}`);
  }
  return engines[engine]();
}

const server = http.createServer((req, res) => res.writeHead(404).end());
const io = new Server(server, options(values.engine));

io.on("connection", (socket) => {
  socket.on("join", (room, ack) => {
    socket.join(room);
    ack();
  });
  socket.on("say", (room, payload) => io.to(room).emit("msg", payload));
  socket.on("echo", (payload, ack) => ack(payload));
});

server.listen(Number(values.port), values.host, () => {
  const { address, port } = server.address();
  console.log(`listens on http://${address}:${port}, engine ${values.engine}`);
});

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, () => process.exit(0));
}
