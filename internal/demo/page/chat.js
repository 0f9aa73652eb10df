// The conversation with the server. What is on the screen is view.js's.
//
// The events are those of examples/chat. The client is the official one; the
// script that defines `io` is served by Belfry itself.
import * as view from "./view.js";

const ackTimeout = 8000; // ms
const typingEvery = 1500; // ms
const sendFor = 40_000; // ms; the server takes an id for longer
const sendAgain = 500; // ms

if (globalThis.io) {
  start(globalThis.io);
} else {
  view.showMissingClient();
}
showNodes();

// showNodes names the node that served this page, and links to the others.
async function showNodes() {
  const answer = await fetch("/demo.json");
  if (answer.ok) {
    view.showNodes(await answer.json());
  }
}

function start(io) {
  const socket = io({ reconnectionDelay: 2000, reconnectionDelayMax: 5000, randomizationFactor: 0.2 });
  let name = ""; // as asked for; empty until the first join
  let room = ""; // where the page is
  let ahead = 0; // ms that the server's clock is ahead of this one
  let older = ""; // where to go on into the past; empty: there is no more
  let early = null; // what comes before the past of the room has; null: it has come
  let joined = false;
  let live = false; // between connect and disconnect
  let missed = 0; // messages that came before a recovered connection was live
  let typed = 0; // when the others were last told

  // Connection

  socket.on("connect", () => {
    live = true;
    view.setStatus("good", "Connected");
    view.setConnected(true);
    if (socket.recovered) {
      view.showRecovered(missed);
    } else if (name) {
      join(room); // the server no longer had the session: the past has what was said
    }
    missed = 0;
  });

  socket.on("disconnect", (reason) => {
    live = false;
    view.setConnected(false);
    view.clearRecovered();
    if (socket.active) {
      view.setStatus("waiting", "Reconnecting…");
    } else {
      view.setStatus("bad", reason === "io server disconnect" ? "Disconnected by the server" : "Disconnected");
    }
    if (joined) {
      view.note("The connection is lost.");
    }
  });

  socket.on("connect_error", (err) => {
    if (socket.active) {
      view.setStatus("waiting", joined ? "Reconnecting…" : "Connecting…");
    } else {
      view.setStatus("bad", `Refused: ${err.message}`);
    }
  });

  socket.io.on("open", () => {
    const engine = socket.io.engine;
    const first = engine.transport.name;
    view.setTransport(first);
    engine.once("upgrade", (next) => view.setTransport(`${first} → ${next.name}`));
  });

  // A page that goes away says so: the others need not wait for its return.
  addEventListener("pagehide", () => socket.disconnect());
  addEventListener("pageshow", (event) => event.persisted && socket.connect());

  // Chat

  socket.on("message", (message) => {
    if (message.room !== room) {
      return;
    }
    const late = !live;
    missed += late ? 1 : 0;
    if (early) {
      early.push(message);
    } else {
      show(message, late);
    }
  });

  socket.on("stored", ({ ids }) => view.mark(ids, "stored"));

  function show(message, late = false) {
    view.addMessage(message, { mine: isMine(message), late });
  }

  function isMine(message) {
    return message.from.id === socket.id || view.wasSent(message.id);
  }

  socket.on("people", (people) => view.showPeople(people, socket.id));
  socket.on("typing", (person) => view.showTyping(person));

  // join enters a room: what is said from now on comes, and waits until what was said
  // before is there.
  async function join(wanted) {
    const came = early = [];
    try {
      const answer = await ask("join", { name, room: wanted });
      room = answer.room;
      ahead = answer.now - Date.now();
      view.setJoined(room);
      await readPast();
    } catch (err) {
      view.showProblem(`Could not join: ${err.message}`);
    }
    if (came === early) {
      early = null;
      came.filter((message) => message.room === room).forEach((message) => show(message));
    }
  }

  async function readPast() {
    try {
      const page = await ask("history", { limit: 30 });
      older = page.next ?? "";
      view.addPast(page.messages, isMine, older !== "");
    } catch (err) {
      view.showProblem(`The past is not here: ${err.message}`);
    }
  }

  // More of the past comes when the reader scrolls up to what there is.
  view.onPast(async () => {
    const [before, of] = [older, room];
    older = ""; // once
    if (before === "" || !live) {
      older = before;
      return;
    }
    try {
      const page = await ask("history", { before, limit: 30 });
      if (of === room) {
        older = page.next ?? "";
        view.addPast(page.messages, isMine, older !== "");
      }
    } catch (err) {
      older = before;
      view.showProblem(`The past is not here: ${err.message}`);
    }
  });

  view.onJoin((wanted, into) => {
    name = wanted;
    join(into);
  });

  view.onRoom((into) => live && join(into));

  view.onSay(async (text) => {
    typed = 0;
    const at = Date.now();
    const id = `${at + ahead}-${crypto.getRandomValues(new Uint32Array(3)).join("")}`;
    view.noteSent(id);
    for (;;) {
      try {
        await ask("event:message", { text, id });
        view.mark([id], "delivered");
        return true;
      } catch (err) {
        // With the same id it is one message, however often it is sent.
        const passes = err.code === "unavailable" || err.code === undefined;
        if (!passes || Date.now() - at > sendFor) {
          view.showProblem(`Not sent: ${err.message}`);
          return false;
        }
        await new Promise((done) => setTimeout(done, sendAgain));
      }
    }
  });

  view.onTyping(() => {
    if (live && Date.now() - typed > typingEvery) {
      typed = Date.now();
      socket.emit("typing");
    }
  });

  view.onBreak(() => socket.io.engine.close());

  // ask sends an event and returns the answer, or throws what went wrong.
  async function ask(event, arg) {
    view.showProblem("");
    const answer = await socket.timeout(ackTimeout).emitWithAck(event, arg);
    if (answer?.error) {
      throw Object.assign(new Error(answer.error.message), { code: answer.error.code ?? "refused" });
    }
    return answer;
  }
}
