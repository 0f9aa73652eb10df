"use strict";

// A node of a cluster of Socket.IO on Node.js, with one of its Redis adapters:
// what the same faults do to it.
//
//   node server.js --listen 127.0.0.1:3000 --redis redis://… --adapter classic
//
// --adapter is classic, sharded or streams. It serves what chaos/node serves.

const http = require("node:http");
const { once } = require("node:events");
const { parseArgs } = require("node:util");
const { Server } = require("socket.io");
const redisAdapter = require("@socket.io/redis-adapter");
const streamsAdapter = require("@socket.io/redis-streams-adapter");

const { values } = parseArgs({
  options: {
    listen: { type: "string" },
    redis: { type: "string" },
    adapter: { type: "string" },
  },
});

async function connect() {
  const client = require("redis").createClient({ url: values.redis });
  client.on("error", (err) => console.error("redis:", err.message));
  await client.connect();
  return client;
}

const adapters = {
  classic: async () => redisAdapter.createAdapter(await connect(), await connect()),
  sharded: async () => redisAdapter.createShardedAdapter(await connect(), await connect()),
  streams: async () => streamsAdapter.createAdapter(await connect()),
};

// Only the streams adapter can recover sessions.
function options() {
  return values.adapter === "streams" ? { connectionStateRecovery: {} } : {};
}

async function publish(io, req, res) {
  const chunks = [];
  for await (const chunk of req) chunks.push(chunk);
  const { room, stream, number } = JSON.parse(Buffer.concat(chunks));
  io.to(room).emit("m", stream, number);
  res.writeHead(204).end();
}

function serve(io) {
  io.on("connection", (socket) => {
    socket.on("join", async (room, ack) => {
      await socket.join(room);
      ack();
    });
  });
}

async function main() {
  const server = http.createServer();
  const io = new Server(server, { ...options(), adapter: await adapters[values.adapter]() });
  serve(io);
  server.on("request", (req, res) => {
    if (req.url === "/publish" && req.method === "POST") {
      publish(io, req, res).catch((err) => res.writeHead(500).end(String(err)));
    } else if (req.url === "/healthz/ready") {
      res.writeHead(200).end();
    }
  });
  const at = values.listen.lastIndexOf(":");
  server.listen(Number(values.listen.slice(at + 1)), values.listen.slice(0, at));
  await once(server, "listening");
  process.on("SIGTERM", async () => {
    await io.close();
    process.exit(0);
  });
}

// The classic adapter does not look at what becomes of its publishes: without
// this a lost Redis connection ends the process.
process.on("unhandledRejection", (err) => console.error("unhandled:", err.message));

main();
