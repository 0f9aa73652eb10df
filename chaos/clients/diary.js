"use strict";

// What a process of clients writes down and says of itself: its log, a line for each
// thing that happened, and a JSON line with figures on standard output five times a
// second. It ends when its standard input ends.

const fs = require("node:fs");

// open returns the diary that is kept in file; now are the figures.
function open(file, now) {
  const log = fs.openSync(file, "a");
  let lines = [];
  const flush = () => {
    if (lines.length > 0) fs.writeSync(log, lines.join("\n") + "\n");
    lines = [];
  };
  setInterval(() => {
    flush();
    console.log(JSON.stringify(now));
  }, 200);
  process.stdin
    .on("end", () => {
      flush();
      process.exit(0);
    })
    .resume();
  return {
    write(kind, client, ...rest) {
      lines.push([kind, Date.now(), client, ...rest].join(" "));
    },
  };
}

// oneLine keeps a text from becoming several lines of the log.
function oneLine(text) {
  return String(text).replace(/\s+/g, " ") || "-";
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

module.exports = { open, oneLine, sleep };
