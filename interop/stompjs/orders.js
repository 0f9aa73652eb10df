"use strict";

// Runs examples/orders with @stomp/stompjs in Node.js, on two nodes, with backends in
// Go and in Python. Prints one JSON line for each scenario: {"name", "ok", "detail",
// "ms"}. Most are named after a weakness of the system that orders replaces.
//
//   node orders.js '{"nodes": [URL, URL], "api": URL, "token": T, "publisher": T,
//                    "backend": T, "control": URL, "scenarios": [NAME, …]}'
//
// api serves POST /api/notification. token may watch, publisher may publish, too,
// backend is a key for the API. POST control/redis runs a Redis command, a JSON array,
// and control/kill kills the backend of that name.

const assert = require("node:assert/strict");
const { randomUUID } = require("node:crypto");
const { Client } = require("@stomp/stompjs");
const { io } = require("socket.io-client");
const WebSocket = require("ws");

const config = JSON.parse(process.argv[2]);
const [nodeA, nodeB] = config.nodes;
const patience = 30_000;

// Watcher is a STOMP client that keeps what it gets.
class Watcher {
  static open(url, token, path = "/stomp") {
    return new Promise((resolve, reject) => {
      const w = new Watcher();
      w.client = new Client({
        webSocketFactory: () => new WebSocket(url.replace("http", "ws") + path, ["v12.stomp"]),
        connectHeaders: { passcode: token },
        reconnectDelay: 0,
        onConnect: (frame) => {
          w.hello = frame;
          resolve(w);
        },
        onStompError: (frame) => {
          w.fault = frame;
          reject(new Error(frame.headers.message));
        },
      });
      w.client.activate();
    });
  }

  got = []; // { destination, body, headers }

  subscribe(...destinations) {
    return Promise.all(destinations.map((destination) => this.receipt((receipt) => {
      this.client.subscribe(destination, ({ body, headers }) => this.got.push({ destination, body, headers }), { receipt });
    })));
  }

  // send resolves when the cluster has it.
  send(destination, body, headers = {}) {
    return this.receipt((receipt) => this.client.publish({ destination, body, headers: { ...headers, receipt } }));
  }

  receipt(act) {
    const id = randomUUID();
    const done = new Promise((resolve) => this.client.watchForReceipt(id, resolve));
    act(id);
    return done;
  }

  bodies(destination) {
    return this.got.filter((m) => m.destination === destination).map((m) => m.body);
  }

  handled() {
    return this.bodies("/topic/handled").map((body) => JSON.parse(body));
  }

  close() {
    return this.client.deactivate();
  }
}

// until repeats a question until its answer is right.
async function until(what, question, right) {
  for (const end = Date.now() + patience; ; ) {
    const got = question();
    if (right(got)) return got;
    if (Date.now() > end) throw new Error(`${what}: ${JSON.stringify(got).slice(0, 400)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function post(url, body, token) {
  const answer = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...(token && { Authorization: `Bearer ${token}` }) },
    body: JSON.stringify(body),
  });
  return { status: answer.status, text: await answer.text() };
}

async function redis(...words) {
  const { status, text } = await post(`${config.control}/redis`, words);
  assert.equal(status, 200, text);
}

const kill = (backend) => post(`${config.control}/kill`, backend);
const notify = (topic, message, more, token = config.backend) =>
  post(`${config.api}/api/notification`, { topic, message, ...more }, token);

// watchers are one on each node.
async function watchers(...destinations) {
  const all = await Promise.all([Watcher.open(nodeA, config.token), Watcher.open(nodeB, config.token, "/stomp/websocket")]);
  await Promise.all(all.map((w) => w.subscribe(...destinations)));
  return all;
}

const close = (...all) => Promise.all(all.map((w) => w.close()));

// once sends a last message by the same way, and wants each body once at each watcher,
// with nothing between.
async function once(all, destination, send, bodies) {
  for (const body of bodies) await send(body);
  const last = `last ${randomUUID()}`;
  await send(last);
  for (const w of all) {
    const got = await until(`${destination} at a node`, () => w.bodies(destination), (b) => b.includes(last));
    assert.deepEqual(got, [...bodies, last]);
  }
}

// tally counts what backends have handled, by text.
function tally(w, prefix) {
  const count = new Map();
  for (const { text } of w.handled()) {
    if (text.startsWith(prefix)) count.set(text, (count.get(text) ?? 0) + 1);
  }
  return count;
}

const range = (n) => [...Array(n).keys()];

const scenarios = {
  // One event, one backend; several share the work. Repetitions are not done again.
  async "orders-each-event-once"() {
    const [a, b] = await watchers("/topic/handled");
    const prefix = randomUUID();
    const send = (w, i) => w.send("/app/test", `${prefix} ${i}`, { id: `${prefix}-${i}` });
    await Promise.all(range(200).map((i) => send(a, i)));
    await Promise.all(range(50).map((i) => send(b, i)));
    await send(b, 200);
    for (const w of [a, b]) {
      const count = await until("events handled", () => tally(w, prefix), (c) => c.size === 201);
      assert.deepEqual([...count.values()].filter((n) => n !== 1), []);
    }
    const who = new Set(a.handled().map((h) => h.backend));
    assert.ok(who.size > 1, `only ${[...who]} had work`);
    await close(a, b);
  },

  async "orders-answers"() {
    const [a, b] = await watchers("/user/queue/order");
    const send = (w, id, order) => w.send("/app/order", JSON.stringify(order), { id, "correlation-id": id, "content-type": "application/json" });
    const good = randomUUID();
    for (const i of range(12)) await send(a, `${good}-${i}`, { customer: "ada", item: "rope", quantity: i + 1 });
    await send(b, `${good}-0`, { customer: "ada", item: "rope", quantity: 1 }); // a retry, on another node
    await send(b, `${good}-none`, { customer: "bob", item: "cannon", quantity: 1 });
    const answers = await until("answers", () => a.got, (got) => got.length === 12);
    for (const { body, headers } of answers) {
      const i = Number(headers["correlation-id"].split("-").at(-1));
      assert.equal(JSON.parse(body).total, 20 * (i + 1));
    }
    const [first, none] = await until("answers", () => b.got, (got) => got.length === 2).then((got) =>
      got.toSorted((x) => (x.headers["correlation-id"].endsWith("none") ? 1 : -1)));
    assert.deepEqual(JSON.parse(first.body), JSON.parse(answers.find((m) => m.headers["correlation-id"] === `${good}-0`).body));
    assert.match(JSON.parse(none.body).error.message, /there is no/);
    await close(a, b);
  },

  async "orders-greetings"() {
    const all = await watchers("/topic/greetings");
    const name = randomUUID();
    await all[0].send("/app/greet", name);
    for (const w of all) {
      const got = await until("a greeting", () => w.bodies("/topic/greetings"), (g) => g.length > 0);
      assert.match(got[0], new RegExp(`^Hello, ${name}! This is backend-`));
    }
    // Those who publish to the channel go on to do so: a JSON text.
    await once(all.map((w) => Object.assign(w, { got: [] })), "/topic/greetings",
      (text) => redis("PUBLISH", "GREETING_CHANNEL_INBOUND", JSON.stringify(text)), ["Test", "with \"quotes\""]);
    await close(...all);
  },

  // Weaknesses 7 and 10: 200 means accepted, and each client gets it once.
  async "orders-notification-once"() {
    const all = await watchers("/topic/toast");
    await once(all, "/topic/toast", async (text) => {
      const { status, text: said } = await notify("/topic/toast", text, { id: text });
      assert.equal(status, 200, said);
      assert.equal((await notify("/topic/toast", text, { id: text })).status, 200); // a retry
    }, ["one", "two"]);
    await close(...all);
  },

  // Weakness 4: one poison message silences nobody.
  async "orders-poison-on-the-channel"() {
    const all = await watchers("/topic/toast");
    await redis("PUBLISH", "BROADCAST-CHANNEL", "{no JSON");
    await redis("PUBLISH", "BROADCAST-CHANNEL", "{\"message\":\"for nobody\"}");
    await once(all, "/topic/toast", (message) => redis("PUBLISH", "BROADCAST-CHANNEL", JSON.stringify({ topic: "/topic/toast", message })), ["after"]);
    await close(...all);
  },

  // Weaknesses 1 and 3: a stream is read without gaps, also after it was deleted, and
  // entries of Java producers are as good as others.
  async "orders-stream-without-gaps"() {
    const all = await watchers("/topic/to-frontend");
    const add = (message) => redis("XADD", "TEST_EVENT_TO_WEBSOCKET_SERVER", "*", "_class", "com.example.Event", "topic", "/topic/to-frontend", "message", message);
    const mine = (w) => w.bodies("/topic/to-frontend").filter((b) => b.startsWith("entry"));
    for (const i of range(20)) await add(`entry ${i}`);
    await until("entries", () => mine(all[0]), (got) => got.length === 20);
    await redis("DEL", "TEST_EVENT_TO_WEBSOCKET_SERVER");
    for (const i of range(5)) await add(`entry ${20 + i}`);
    for (const w of all) {
      const got = await until("entries", () => mine(w), (g) => g.length >= 25);
      assert.deepEqual(got, range(25).map((i) => `entry ${i}`));
    }
    await close(...all);
  },

  // Entries without Belfry's fields are events, too.
  async "orders-foreign-entry"() {
    const [a, b] = await watchers("/topic/handled");
    const text = randomUUID();
    await redis("XADD", "TEST_EVENT_TO_BACKEND", "*", "_class", "com.example.Event", "message", text);
    await until("the entry handled", () => tally(b, text), (c) => c.size === 1);
    await close(a, b);
  },

  // Weakness 8: who may do what is asked everywhere.
  async "orders-nobody-may"() {
    await assert.rejects(Watcher.open(nodeA, "no token"), /token/);
    const a = await Watcher.open(nodeA, config.token);
    a.client.publish({ destination: "/topic/toast", body: "spoofed" });
    const fault = await until("an ERROR", () => a.fault, Boolean);
    assert.equal(fault.headers.code, "forbidden");
    assert.equal((await notify("/topic/toast", "spoofed", {}, "")).status, 401);
    assert.equal((await notify("/topic/toast", "spoofed", {}, config.token)).status, 403);
    assert.equal((await notify("toast", "x")).status, 400);
    assert.equal((await notify("/topic/toast", "x", { text: "y" })).status, 400);
    await a.close();
  },

  // Weakness 9: what one client sends to a topic reaches those of the other node.
  async "orders-no-silo"() {
    const all = await watchers("/topic/toast");
    const publisher = await Watcher.open(nodeA, config.publisher);
    await once(all, "/topic/toast", (text) => publisher.send("/topic/toast", text), ["from a client"]);
    await close(...all, publisher);
  },

  // Weakness 11: heart-beats both ways.
  async "orders-heart-beats"() {
    const a = await Watcher.open(nodeA, config.token);
    const [out, wanted] = a.hello.headers["heart-beat"].split(",").map(Number);
    assert.ok(out > 0 && wanted > 0, a.hello.headers["heart-beat"]);
    await a.close();
  },

  // STOMP, Socket.IO and event streams meet in one room.
  async "orders-fronts-meet"() {
    const [a, b] = await watchers("/topic/handled");
    const socket = io(nodeB, { auth: { token: config.token }, transports: ["websocket"] });
    const bySocket = [];
    socket.on("message", (text) => bySocket.push(JSON.parse(text).text));
    await new Promise((resolve, reject) => {
      socket.on("connect_error", reject);
      socket.on("connect", () => socket.emit("join", "handled", (err) => (err ? reject(err.error) : resolve())));
    });
    const stop = new AbortController();
    const bySSE = [];
    const reading = readStream(`${nodeA}/sse?room=handled`, stop.signal, (m) => bySSE.push(JSON.parse(m.args[0]).text));
    await reading.open;
    const text = randomUUID();
    await new Promise((resolve, reject) => socket.emit("test", text, (err) => (err ? reject(err.error) : resolve())));
    await until("STOMP", () => tally(a, text).size, (n) => n === 1);
    await until("Socket.IO", () => bySocket, (got) => got.includes(text));
    await until("the event stream", () => bySSE, (got) => got.includes(text));
    stop.abort();
    await reading.end;
    socket.close();
    await close(a, b);
  },

  // Weakness 2: what a backend has under way when it is killed is done by another.
  async "orders-backend-killed"() {
    const [a, b] = await watchers("/topic/handled");
    const prefix = randomUUID();
    const sending = Promise.all(range(300).map((i) => a.send("/app/test", `${prefix} ${i}`, { id: `${prefix}-${i}` })));
    await until("some handled", () => tally(b, prefix).size, (n) => n > 5);
    await kill("backend-A");
    await kill("backend-P");
    await sending;
    const count = await until("events handled", () => tally(b, prefix), (c) => c.size === 300);
    assert.deepEqual([...count.values()].filter((n) => n !== 1), []);
    await close(a, b);
  },
};

// readStream reads Server-Sent Events of the default type.
function readStream(url, signal, take) {
  let opened;
  const open = new Promise((resolve) => (opened = resolve));
  const end = (async () => {
    const answer = await fetch(url, { signal, headers: { Authorization: `Bearer ${config.token}` } });
    assert.equal(answer.status, 200);
    let rest = "";
    for await (const chunk of answer.body.pipeThrough(new TextDecoderStream())) {
      const events = (rest + chunk).split("\n\n");
      rest = events.pop();
      for (const event of events) {
        if (event.includes("event: stream:open")) opened();
        const data = /^data: (.*)$/m.exec(event);
        if (data && !/^event: stream:/m.test(event)) take(JSON.parse(data[1]));
      }
    }
  })().catch((err) => {
    if (!signal.aborted) throw err;
  });
  return { open, end };
}

async function main() {
  for (const name of config.scenarios) {
    const begin = Date.now();
    let detail = "";
    try {
      await scenarios[name]();
    } catch (err) {
      detail = String(err?.stack ?? err);
    }
    console.log(JSON.stringify({ name, ok: detail === "", detail, ms: Date.now() - begin }));
  }
  process.exit(0); // a failed scenario leaves its clients
}

main();
