"use strict";

// Faults on purpose: what the scenarios must notice. Every 50th event of a
// connection is lost, doubled, or swapped with the next.
const faults = {
  lose: () => {},
  double: (send) => {
    send();
    send();
  },
};

const isEvent = (data) => typeof data === "string" && data.startsWith("2");

// spoil makes every connection of a server break events in one way.
function spoil(io, kind) {
  io.engine.on("connection", (conn) => {
    const write = conn.write.bind(conn);
    let events = 0;
    let late = null; // what waits to be overtaken
    conn.write = (data, ...rest) => {
      const send = () => write(data, ...rest);
      if (!isEvent(data)) return send();
      const due = ++events % 50 === 0;
      if (kind === "swap") {
        if (due) return void (late = send);
        send();
        late?.();
        late = null;
        return;
      }
      return due ? faults[kind](send) : send();
    };
  });
}

module.exports = { spoil };
