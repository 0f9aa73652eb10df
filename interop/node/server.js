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

// publish takes POST /api/publish, {rooms, event, args}, as `belfry bench --http`
// sends it, from who shows its key.
function publish(io, req, res) {
  if (req.url.startsWith("/socket.io/")) return; // answered by Engine.IO
  const answer = (status, text) => {
    res.writeHead(status, { "Content-Type": "application/json", "Content-Length": text.length });
    res.end(text);
  };
  if (req.method !== "POST" || req.url !== "/api/publish") return answer(404, "{}");
  if (req.headers.authorization !== "Bearer a-key-for-benchmarks-only-32-bytes") return answer(401, "{}");
  let body = "";
  req.setEncoding("utf8");
  req.on("data", (text) => (body += text));
  req.on("end", () => {
    try {
      const { rooms, event, args } = JSON.parse(body);
      io.to(rooms).emit(event, ...args);
    } catch {
      return answer(400, "{}");
    }
    answer(200, "{}");
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
  const server = http.createServer();
  const io = new Server(server, options);
  server.on("request", (req, res) => publish(io, req, res));
  contract(io);
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
