"use strict";

// The contract server on the real Socket.IO: the control that the scenarios,
// packet cases and HTTP cases are themselves right. interop/README.md has the
// contract, interop/testdata/profiles.json the profiles that are served.
//
//   node contract.js PROFILES.json [lose|double|swap]
//
// The second argument is a fault that the tests must find.
//
// It prints one JSON line, profile name to base URL, once every profile
// listens, and ends when its standard input ends.

const fs = require("node:fs");
const http = require("node:http");
const { once } = require("node:events");
const { Server } = require("socket.io");
const engine = require("engine.io");
const msgpack = require("socket.io-msgpack-parser");
const { Mesh } = require("./contract/mesh");
const { Records } = require("./contract/records");
const { serve } = require("./contract/namespaces");
const { spoil } = require("./contract/broken");

const own = new Set(["name", "cluster", "engine", "msgpack", "deny", "forward"]);

function options(profile, meshes) {
  const out = Object.fromEntries(
    Object.entries(profile).filter(([key]) => !own.has(key)),
  );
  if (profile.msgpack) out.parser = msgpack;
  if (profile.deny) out.allowRequest = (req, done) => done(profile.deny, false);
  if (profile.cluster) out.adapter = meshOf(profile.cluster, meshes).adapter();
  return out;
}

function meshOf(name, meshes) {
  if (!meshes.has(name)) meshes.set(name, new Mesh());
  return meshes.get(name);
}

// echoEngine serves Engine.IO alone: every message comes back as it was.
function echoEngine(server, opts) {
  engine.attach(server, opts).on("connection", (socket) => {
    socket.on("message", (data) => socket.send(data));
  });
}

function socketIO(server, opts, records) {
  const io = new Server(server, opts);
  const fault = process.argv[3];
  if (fault) spoil(io, fault);
  serve(io, records);
}

async function listen(profile, meshes, records) {
  const server = http.createServer((req, res) => res.writeHead(404).end());
  if (profile.engine) echoEngine(server, options(profile, meshes));
  else socketIO(server, options(profile, meshes), records);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${server.address().port}`;
}

async function main() {
  const profiles = JSON.parse(fs.readFileSync(process.argv[2], "utf8"));
  const meshes = new Map();
  const records = new Records();
  const urls = {};
  for (const profile of profiles) {
    urls[profile.name] = await listen(profile, meshes, records);
  }
  console.log(JSON.stringify(urls));
  process.stdin.on("end", () => process.exit(0)).resume();
}

main();
