// The conversation with the server. What is on the screen is view.js's, what goes
// from browser to browser is peers.js's.
//
// The events are those of package meet. The client is the official one; the
// script that defines `io` is served by Belfry itself.
import { Peers } from "./peers.js";
import * as source from "./source.js";
import * as view from "./view.js";

const ackTimeout = 8000; // ms

const query = new URLSearchParams(location.search);
const room = decodeURIComponent(location.pathname.split("/").at(-1));
const name = (query.get("name") ?? localStorage.getItem("name") ?? "").trim() || `User-${random()}`;

view.setRoom(room);
if (globalThis.io) {
  start(globalThis.io);
} else {
  view.setStatus("bad", "No client");
  view.showProblem("The browser client is not in this build: run `make build`, start the server again and reload this page.");
}

function random() {
  return Math.random().toString(36).slice(2, 8).padEnd(6, "0");
}

async function start(io) {
  const config = await (await fetch("../config.json")).json();
  const socket = io({ reconnectionDelay: 1000, reconnectionDelayMax: 5000, randomizationFactor: 0.3 });
  const peers = new Peers({ iceServers: config.iceServers, send, onVideo: showVideo, onLive: view.showLive });
  let me = ""; // my id in the room; empty: not joined
  let users = []; // who is in the room, as the server has it
  let stream = null; // what I share
  let starting = false; // I am about to
  let confirmed = false; // the server has said that I share

  // Connection

  socket.on("connect", async () => {
    view.setStatus("good", "Connected");
    if (socket.recovered) {
      view.toast("Connected again: nothing was missed");
      view.showProblem("");
      if (!stream && !starting && sharer() === me) {
        ask("stop-sharing", room, me).catch(() => {}); // it was told meanwhile
      }
      return;
    }
    const mine = stream;
    peers.close(); // the others know nothing of me any more
    await join();
    if (mine) {
      await (me ? share(mine) : end(mine));
    }
  });

  socket.on("disconnect", (reason) => {
    if (socket.active) {
      view.setStatus("waiting", "Reconnecting…");
    } else {
      view.setStatus("bad", reason === "io server disconnect" ? "Disconnected by the server" : "Disconnected");
    }
  });

  socket.on("connect_error", (err) => {
    if (socket.active) {
      view.setStatus("waiting", me ? "Reconnecting…" : "Connecting…");
    } else {
      view.setStatus("bad", `Refused: ${err.message}`);
    }
  });

  // A page that goes away says so: the others need not wait for its return.
  addEventListener("pagehide", () => socket.disconnect());
  addEventListener("pageshow", (event) => event.persisted && location.reload());

  // join enters the room as a new person: the server may still hold the place of
  // the one that was lost.
  async function join() {
    me = "";
    users = [];
    confirmed = false;
    const id = `${name}-${random()}`;
    try {
      await ask("join-room", room, id);
      me = id;
      view.setJoined();
      draw();
    } catch (err) {
      view.showProblem(`Could not join: ${err.message}`);
    }
  }

  // People

  socket.on("user-joined", (id) => view.toast(`${view.nameOf(id)} has joined`));
  socket.on("user-left", (id) => view.toast(`${view.nameOf(id)} has left`));
  socket.on("user-started-sharing", (id) => view.toast(`${view.nameOf(id)} shares a screen`));
  socket.on("user-stopped-sharing", (id) => view.toast(`${view.nameOf(id)} has stopped sharing`));

  socket.on("room-stats-updated", (stats) => {
    users = stats.users;
    draw();
  });

  const sharer = () => users.find((u) => u.isSharing)?.id ?? null;

  function draw() {
    view.showPeople(users, me);
    if (!stream) {
      peers.watch(sharer(), users);
      view.setSharing(sharer() === null || sharer() === me ? "free" : "taken");
      return;
    }
    confirmed ||= sharer() === me;
    if (confirmed && sharer() !== me) {
      endShare();
      view.toast("Your sharing has ended");
      return;
    }
    if (confirmed) {
      peers.offerTo(users.filter((u) => u.id !== me));
    }
  }

  // Sharing

  view.onShare(async () => {
    view.showProblem("");
    if (stream) {
      stop();
    } else if (!starting) {
      starting = true;
      await pick();
      starting = false;
    }
  });

  async function pick() {
    let mine;
    try {
      mine = await source.pick(query.get("source"));
    } catch (err) {
      view.showProblem(source.explain(err));
      return;
    }
    await share(mine);
  }

  // share shows it to the others once the server has agreed: until then I may be
  // watching somebody.
  async function share(mine) {
    try {
      await ask("start-sharing", room, me);
    } catch (err) {
      end(mine);
      view.showProblem(`Not shared: ${err.message}`);
      return;
    }
    stream = mine;
    confirmed = false;
    peers.share(mine);
    const [picture] = mine.getVideoTracks();
    picture.onended = stop; // by the browser's own button
    if (picture.readyState === "ended") {
      stop();
      return;
    }
    view.setSharing("mine");
    view.showVideo(mine, { mine: true });
    draw();
  }

  async function stop() {
    endShare();
    try {
      await ask("stop-sharing", room, me);
    } catch (err) {
      view.showProblem(`The server was not told yet that you stopped: ${err.message}`);
    }
  }

  // end lets go of the screen. If it is what I share, nothing is shared then.
  function end(mine) {
    mine.getTracks().forEach((track) => track.stop());
    if (mine === stream) {
      stream = null;
      confirmed = false;
      peers.close();
      view.showVideo(null);
      view.setSharing("free");
    }
  }

  function endShare() {
    if (stream) {
      end(stream);
    }
  }

  // Watching

  socket.on("offer", ({ from, offer }) => peers.offered(from, offer));
  socket.on("answer", ({ from, answer }) => peers.answered(from, answer));
  socket.on("ice-candidate", ({ from, candidate }) => peers.candidate(from, candidate));

  function showVideo(from, video) {
    view.showVideo(video, { from });
  }

  function send(event, payload) {
    socket.emit(event, { ...payload, from: me });
  }

  // Leaving

  view.onCopy(() => `${location.origin}${location.pathname}`);
  view.onLeave(() => {
    endShare();
    peers.close();
    socket.emit("leave-room", room, me);
    socket.disconnect();
    location.assign("..");
  });

  // ask sends an event and returns the answer, or throws what went wrong.
  async function ask(event, ...args) {
    const answer = await socket.timeout(ackTimeout).emitWithAck(event, ...args);
    if (answer?.error) {
      throw new Error(answer.error.message);
    }
    return answer;
  }
}
