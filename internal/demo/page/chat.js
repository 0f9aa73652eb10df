// The conversation with the server. What is on the screen is view.js's.
//
// The events are those of examples/chat. The client is the official one; the
// script that defines `io` is served by Belfry itself.
import * as view from "./view.js";

const ackTimeout = 8000; // ms
const typingEvery = 1500; // ms

if (globalThis.io) {
  start(globalThis.io);
} else {
  view.showMissingClient();
}
showNodes();

// showNodes names the node that served this page, and links to the others.
async function showNodes() {
  const answer = await fetch("demo.json");
  if (answer.ok) {
    view.showNodes(await answer.json());
  }
}

function start(io) {
  const socket = io({ reconnectionDelay: 2000, reconnectionDelayMax: 5000, randomizationFactor: 0.2 });
  let name = ""; // as asked for; empty until the first join
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
      view.note("The connection is back, but the server no longer had the session: what was said meanwhile is missing here.");
      join();
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
    const late = !live;
    missed += late ? 1 : 0;
    view.addMessage(message, { mine: message.from.id === socket.id, late });
  });

  socket.on("people", (people) => view.showPeople(people, socket.id));
  socket.on("typing", (person) => view.showTyping(person));

  async function join() {
    try {
      await ask("join", { name });
      joined = true;
      view.setJoined();
    } catch (err) {
      view.showProblem(`Could not join: ${err.message}`);
    }
  }

  view.onJoin((wanted) => {
    name = wanted;
    join();
  });

  view.onSay(async (text) => {
    typed = 0;
    try {
      await ask("say", { text });
      return true;
    } catch (err) {
      view.showProblem(`Not sent: ${err.message}`);
      return false;
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
      throw new Error(answer.error.message);
    }
    return answer;
  }
}
