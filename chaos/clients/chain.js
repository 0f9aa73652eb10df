"use strict";

// Unmodified socket.io-clients that are in rooms, and send numbered events to one of
// them, each until it is acked.
//
//   node chain.js PLAN.json LOG
//
// PLAN: {"url": …, "clients": [{"rooms": ["chat:3"], "transports": […], "auth": {"token": …}, "sends": "3"}],
//        "each": 100, "over": 20000, "timeout": 3000, "again": 50}
//       sends is the room; each is how many events a client sends at least, over how
//       many milliseconds; timeout is also milliseconds; one event of so many as again
//       says is sent again although it was acked, as if the ack had been lost.
// LOG:  a line for each event; account/log.go has the forms.
//
// They go on until a line on standard input says that it is enough. It prints a JSON line
// {"connected","joined","received","acked","finished"} five times a second, and ends when
// its standard input ends.

const fs = require("node:fs");
const diary = require("./diary.js");
const member = require("./member.js");

const plan = JSON.parse(fs.readFileSync(process.argv[2], "utf8"));
const now = { connected: 0, joined: 0, received: 0, acked: 0, finished: 0 };
let enough = false;
process.stdin.on("data", () => (enough = true));
const { write } = diary.open(process.argv[3], now);

// offer sends an event once, and says whether it was acked.
function offer(socket, client, event) {
  return new Promise((resolve) => {
    socket.timeout(plan.timeout).emit("message", event, (err, answer) => {
      if (answer?.error && !["unavailable", "in_doubt"].includes(answer.error.code)) {
        write("x", client, diary.oneLine(`refused: ${JSON.stringify(answer.error)}`));
      }
      resolve(!err && !answer?.error);
    });
  });
}

async function send(socket, client, room, number) {
  const event = { room, id: `${client}-${number}`, stream: client, number };
  let acks = (client + number) % plan.again === 0 ? 2 : 1;
  write("s", client, number);
  for (let tries = 0; acks > 0; tries += 1) {
    if (tries > 0) write("a", client, number);
    if (await offer(socket, client, event)) acks -= 1;
    else await diary.sleep(50 + Math.random() * 100);
  }
  write("k", client, number);
  now.acked += 1;
}

// sendAll begins when all clients are in their rooms.
async function sendAll(socket, client, room) {
  while (now.joined < plan.clients.length) await diary.sleep(50);
  const pace = plan.over / plan.each;
  const begin = Date.now() + Math.random() * pace;
  for (let number = 0; number < plan.each || !enough; number += 1) {
    await diary.sleep(begin + number * pace - Date.now());
    await send(socket, client, room, number);
  }
  now.finished += 1;
}

plan.clients.forEach((wants, client) => {
  const socket = member.start(plan.url, wants, client, { write, now });
  socket.on("message", (message, offset) => {
    const { stream, number } = message ?? {};
    if (!Number.isInteger(stream) || !Number.isInteger(number)) {
      write("x", client, diary.oneLine(`event message of ${JSON.stringify(message)}`));
      return;
    }
    now.received += 1;
    write("m", client, stream, number, typeof offset === "string" ? offset : "-");
  });
  sendAll(socket, client, wants.sends);
});
