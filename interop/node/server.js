"use strict";

// The contract of `belfry bench` on Node's Socket.IO, as it is out of the box:
// the peer that Belfry is compared with.
//
//   node server.js --port 3000 [--host 127.0.0.1] [--engine ws|eiows]
//     [--redis redis://host:6379 [--adapter classic|sharded|streams] [--recovery]]
//
// eiows is a WebSocket engine in C++; eiows/build.sh builds it. With --redis all
// processes on that Redis are one server. --recovery lets clients come back
// within two minutes; of these adapters only streams can.

const http = require("node:http");
const { parseArgs } = require("node:util");
const { Server } = require("socket.io");
const { adapters } = require("./adapters");

const { values } = parseArgs({
  options: {
    port: { type: "string", default: "3000" },
    host: { type: "string", default: "127.0.0.1" },
    engine: { type: "string", default: "ws" },
    redis: { type: "string" },
    adapter: { type: "string", default: "classic" },
    recovery: { type: "boolean", default: false },
  },
});

const engines = {
  ws: () => ({}),
  eiows: () => ({ wsEngine: require("./eiows/node_modules/eiows").Server }),
};

// pick returns what an option names.
function pick(option, choices) {
  const name = values[option];
  if (!Object.hasOwn(choices, name)) {
    throw new Error(`--${option} is ${name}: want ${Object.keys(choices).join(" or ")}`);
  }
  return choices[name];
}

function contract(io) {
  io.on("connection", (socket) => {
    socket.on("join", async (room, ack) => {
      await socket.join(room);
      ack();
    });
    socket.on("say", (room, payload) => io.to(room).emit("msg", payload));
    socket.on("echo", (payload, ack) => ack(payload));
  });
}

async function main() {
  const options = pick("engine", engines)();
  if (values.redis) {
    options.adapter = await pick("adapter", adapters)(values.redis);
  }
  if (values.recovery) {
    options.connectionStateRecovery = { maxDisconnectionDuration: 2 * 60 * 1000 };
  }
  const server = http.createServer((req, res) => res.writeHead(404).end());
  contract(new Server(server, options));
  server.listen(Number(values.port), values.host, () => {
    const { address, port } = server.address();
    console.log(`listens on http://${address}:${port}, engine ${values.engine}`);
  });
}

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, () => process.exit(0));
}
main().catch((err) => {
  console.error("error:", err.message);
  process.exit(1);
});
