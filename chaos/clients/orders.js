"use strict";

// Unmodified socket.io-clients that send numbered events, each until it is acked.
//
//   node orders.js PLAN.json LOG
//
// PLAN: {"url": …, "clients": 200, "each": 100, "over": 20000, "timeout": 3000, "again": 50}
//       over and timeout are milliseconds; one event of so many as again says is sent
//       again although it was acked, as if the ack had been lost.
// LOG:  r <ms> <client> <number>   is sent again, with the same id
//       k <ms> <client> <number>   was acked
//
// It prints a JSON line {"connected","acked"} five times a second, and ends when its
// standard input ends.

const crypto = require("node:crypto");
const fs = require("node:fs");
const { io } = require("socket.io-client");
const diary = require("./diary.js");

const plan = JSON.parse(fs.readFileSync(process.argv[2], "utf8"));
const run = crypto.randomUUID();

const now = { connected: 0, acked: 0 };
const { write } = diary.open(process.argv[3], now);

// offer sends an event once, and says whether it was acked.
function offer(socket, order) {
  return new Promise((resolve) => {
    socket.timeout(plan.timeout).emit("order", order, (err, answer) => resolve(!err && !answer?.error));
  });
}

async function send(socket, client, number) {
  const order = { key: client, number, id: `${run}-${client}-${number}` };
  let acks = (client + number) % plan.again === 0 ? 2 : 1;
  for (let tries = 0; acks > 0; tries += 1) {
    if (tries > 0) write("r", client, number);
    if (await offer(socket, order)) acks -= 1;
    else await diary.sleep(50 + Math.random() * 100);
  }
  write("k", client, number);
  now.acked += 1;
}

async function start(client) {
  const socket = io(plan.url, { transports: ["websocket"], forceNew: true, reconnectionDelayMax: 2000 });
  socket.on("connect", () => (now.connected += 1));
  socket.on("disconnect", (reason) => {
    now.connected -= 1;
    if (reason === "io server disconnect") socket.connect();
  });
  socket.on("connect_error", () => {
    if (!socket.active) setTimeout(() => socket.connect(), 1000);
  });
  await new Promise((resolve) => socket.once("connect", resolve));
  const pace = plan.over / plan.each;
  const begin = Date.now() + Math.random() * pace;
  for (let number = 0; number < plan.each; number += 1) {
    await diary.sleep(begin + number * pace - Date.now());
    await send(socket, client, number);
  }
}

for (let client = 0; client < plan.clients; client += 1) start(client);
