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
const diary = require("./diary.js");
const member = require("./member.js");

const plan = JSON.parse(fs.readFileSync(process.argv[2], "utf8"));
const now = { connected: 0, joined: 0, received: 0 };
const { write } = diary.open(process.argv[3], now);

plan.clients.forEach((wants, client) => {
  const socket = member.start(plan.url, wants, client, { write, now });
  socket.on("m", (stream, number) => {
    if (!Number.isInteger(stream) || !Number.isInteger(number)) {
      write("x", client, diary.oneLine(`event m of ${JSON.stringify([stream, number])}`));
      return;
    }
    now.received += 1;
    write("m", client, stream, number);
  });
});
