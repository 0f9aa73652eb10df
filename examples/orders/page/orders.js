// The conversation with the server. What is on the screen is view.js's.
//
// The client is @stomp/stompjs. What was sent and is not answered yet is sent again,
// with its id, when the connection is back: the server has it once.
import * as view from "./view.js";

const retryAfter = 1500; // ms
const heartbeat = 10_000; // ms
const passing = new Set(["timeout", "unavailable", "in_doubt"]); // errors after which one asks again

if (globalThis.StompJs) {
  start(globalThis.StompJs);
} else {
  view.showMissingClient();
}
showNodes();
countEventStream();
if (globalThis.io) {
  countSocketIO(globalThis.io);
}

// showNodes names the node that served this page, and links to the others. Only the
// demo tells.
async function showNodes() {
  const answer = await fetch("/demo.json");
  if (answer.ok) {
    view.showNodes(await answer.json());
  }
}

function start({ Client, ReconnectionTimeMode }) {
  const open = new Map(); // id → what was sent and is not done with
  const client = new Client({
    brokerURL: `${location.protocol === "https:" ? "wss:" : "ws:"}//${location.host}/stomp`,
    reconnectDelay: retryAfter,
    maxReconnectDelay: 10_000,
    reconnectTimeMode: ReconnectionTimeMode.EXPONENTIAL,
    heartbeatIncoming: heartbeat,
    heartbeatOutgoing: heartbeat,
  });

  client.onConnect = (frame) => {
    view.setStatus("good", "Connected");
    view.setConnected(true, frame.headers.version);
    client.subscribe("/topic/handled", (m) => {
      view.countBy("stomp");
      view.addHandled(JSON.parse(m.body));
    });
    client.subscribe("/topic/to-frontend", (m) => view.showAlive(JSON.parse(m.body)));
    client.subscribe("/topic/greetings", (m) => view.addGreeting(m.body));
    client.subscribe("/topic/toast", (m) => view.addToast(m.body));
    client.subscribe("/user/queue/order", (m) => answered(m.headers["correlation-id"], JSON.parse(m.body)));
    open.forEach(transmit);
  };
  client.onWebSocketClose = () => {
    view.setStatus("waiting", "Reconnecting…");
    view.setConnected(false);
  };
  client.onStompError = (frame) => view.showProblem(`The server says: ${frame.headers.message ?? frame.body}`);
  client.activate();

  // send has an id that stays the same however often it is sent.
  function send(destination, body, { json = false, done = () => {} } = {}) {
    const id = newID();
    open.set(id, { destination, body, json, done });
    if (client.connected) {
      transmit(open.get(id), id);
    }
    return id;
  }

  function transmit({ destination, body, json, done }, id) {
    const headers = { id, receipt: id, "correlation-id": id };
    if (json) {
      headers["content-type"] = "application/json";
    }
    client.watchForReceipt(id, () => {
      if (destination !== "/app/order") {
        open.delete(id); // an order is done with when it is answered
      }
      done();
    });
    client.publish({ destination, body, headers });
  }

  // answered finds the order by its id. A late answer has none here. One that no
  // backend has answered yet is asked for again.
  function answered(id, answer) {
    if (open.has(id) && passing.has(answer.error?.code)) {
      setTimeout(() => client.connected && open.has(id) && transmit(open.get(id), id), retryAfter);
    } else if (open.delete(id)) {
      view.answer(id, answer);
    }
  }

  view.onOrder((item, quantity) => {
    const body = JSON.stringify({ customer: customer(), item, quantity });
    const id = send("/app/order", body, { json: true, done: () => view.accepted(id) });
    view.addOrder(id, `${quantity} × ${item}`);
  });

  let sent = 0;
  view.onTest((text, times) => {
    for (let i = 1; i <= times; i++) {
      send("/app/test", times === 1 ? text : `${text} ${i}`, { done: () => view.showSent(++sent) });
    }
  });
  view.onGreet((name) => send("/app/greet", name));
  view.onNotify(notify);
  view.onBreak(() => client.forceDisconnect());
}

// notify repeats with one id until there is an answer.
async function notify(message) {
  const body = JSON.stringify({ topic: "/topic/toast", message, id: newID() });
  for (let attempt = 1; ; attempt++) {
    try {
      const answer = await fetch("/api/notification", { method: "POST", headers: { "Content-Type": "application/json" }, body });
      if (answer.ok) {
        return true;
      }
      if (answer.status !== 503 || attempt === 5) {
        view.showProblem(`Not sent: ${(await answer.json()).detail}`);
        return false;
      }
    } catch (err) {
      if (attempt === 5) {
        view.showProblem(`Not sent: ${err.message}`);
        return false;
      }
    }
    await new Promise((resolve) => setTimeout(resolve, retryAfter));
  }
}

// The same room, by two other protocols.

function countEventStream() {
  const stream = new EventSource("/sse?room=handled");
  stream.onmessage = () => view.countBy("sse");
}

function countSocketIO(io) {
  const socket = io();
  socket.on("connect", () => socket.recovered || socket.emit("watch", "handled"));
  socket.on("message", () => view.countBy("socketio"));
}

// customer is this tab.
function customer() {
  const name = sessionStorage.getItem("customer") ?? newID();
  sessionStorage.setItem("customer", name);
  return name;
}

// newID is hard to guess. crypto.randomUUID is not there without TLS.
function newID() {
  return [...crypto.getRandomValues(new Uint8Array(12))].map((b) => b.toString(16).padStart(2, "0")).join("");
}
