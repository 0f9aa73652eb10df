"use strict";

// Runs the scenarios against the two nodes whose base URLs it is given. It prints
// the name of each that has passed and ends with 1 at the first that fails.

const assert = require("node:assert/strict");
const { once, EventEmitter } = require("node:events");
const { Client, ReconnectionTimeMode } = require("@stomp/stompjs");
const { io } = require("socket.io-client");
const WebSocket = require("ws");

const [urlA, urlB] = process.argv.slice(2);
const patience = 20_000;

// open resolves with a connected client.
function open(url, options = {}) {
  return new Promise((resolve, reject) => {
    const client = new Client({
      webSocketFactory: () => new WebSocket(url.replace("http", "ws") + (options.path ?? "/stomp"), ["v12.stomp", "v11.stomp", "v10.stomp"]),
      reconnectDelay: 0,
      ...options,
      onConnect: (frame) => resolve(Object.assign(client, { hello: frame })),
      onStompError: (frame) => {
        client.fault = frame;
        client.onFault?.(frame);
        reject(new Error(frame.headers.message));
      },
      onWebSocketClose: (event) => client.onClose?.(event),
    });
    client.activate();
  });
}

// subscribe resolves once the subscription holds; next() returns its messages.
async function subscribe(client, destination, headers = {}) {
  const waiting = [];
  const arrived = new EventEmitter();
  const receipt = `r-${Math.random()}`;
  const held = new Promise((resolve) => client.watchForReceipt(receipt, resolve));
  const sub = client.subscribe(destination, (m) => {
    waiting.push(m);
    arrived.emit("message");
  }, { ...headers, receipt });
  await held;
  return {
    id: sub.id,
    unsubscribe: () => sub.unsubscribe(),
    waiting,
    next: async () => {
      if (waiting.length === 0) await once(arrived, "message", { signal: AbortSignal.timeout(patience) });
      return waiting.shift();
    },
  };
}

// done resolves when the server has done what was sent before.
function done(client) {
  const receipt = `d-${Math.random()}`;
  const result = new Promise((resolve) => client.watchForReceipt(receipt, resolve));
  client.publish({ destination: "/topic/nobody", body: "", headers: { receipt } });
  return result;
}

const scenarios = {
  async "all versions and the raw path of SockJS"() {
    for (const version of ["1.0", "1.1", "1.2"]) {
      const c = await open(urlA, { stompVersions: { versions: [version], supportedVersions: () => version, protocolVersions: () => [`v${version.replace(".", "")}.stomp`] }, path: "/stomp/websocket" });
      assert.equal(c.connectedVersion, version);
      assert.equal(c.hello.headers.server, "belfry");
      const s = await subscribe(c, "/topic/v");
      c.publish({ destination: "/topic/v", body: version });
      assert.equal((await s.next()).body, version);
      await c.deactivate();
    }
  },

  async "two nodes, two fronts, one room"() {
    const [a, b] = [await open(urlA), await open(urlB)];
    const [sa, sb] = [await subscribe(a, "/topic/lobby"), await subscribe(b, "/topic/lobby")];
    const socket = io(urlB, { transports: ["websocket"] });
    await once(socket, "joined");
    const text = 'é "quoted"\nsecond line: \u0000 end';
    const onText = once(socket, "message");
    a.publish({ destination: "/topic/lobby", body: text, headers: { "x-a": "b:c\\d" } });
    for (const s of [sa, sb]) assert.equal((await s.next()).body, text);
    assert.deepEqual(await onText, [text]);

    const onJSON = once(socket, "chat");
    b.publish({ destination: "/topic/lobby", body: '{"n":1}', headers: { event: "chat", "content-type": "application/json" } });
    for (const s of [sa, sb]) {
      const m = await s.next();
      assert.deepEqual([m.headers.event, m.headers["content-type"], JSON.parse(m.body)], ["chat", "application/json", { n: 1 }]);
    }
    assert.deepEqual(await onJSON, [{ n: 1 }]);

    const bytes = new Uint8Array([0, 255, 10, 13, 128]);
    const onBytes = once(socket, "message");
    a.publish({ destination: "/topic/lobby", binaryBody: bytes, headers: { "content-type": "application/octet-stream" } });
    for (const s of [sa, sb]) assert.deepEqual(new Uint8Array((await s.next()).binaryBody), bytes);
    assert.deepEqual(new Uint8Array((await onBytes)[0]), bytes);

    socket.emit("relay", "from socket.io");
    for (const s of [sa, sb]) assert.equal((await s.next()).body, "from socket.io");
    socket.close();
    await Promise.all([a.deactivate(), b.deactivate()]);
  },

  async "a thousand messages in order"() {
    const [a, b] = [await open(urlA), await open(urlB)];
    const s = await subscribe(b, "/topic/many");
    for (let i = 0; i < 1000; i++) a.publish({ destination: "/topic/many", body: String(i) });
    for (let i = 0; i < 1000; i++) assert.equal((await s.next()).body, String(i));
    await Promise.all([a.deactivate(), b.deactivate()]);
  },

  async "frames in several WebSocket messages"() {
    const c = await open(urlA, { splitLargeFrames: true, maxWebSocketChunkSize: 1000 });
    const s = await subscribe(c, "/topic/large");
    const body = "0123456789".repeat(20_000);
    c.publish({ destination: "/topic/large", body });
    assert.equal((await s.next()).body, body);
    await c.deactivate();
  },

  async "acknowledgements and transactions"() {
    const c = await open(urlA);
    const s = await subscribe(c, "/topic/tx", { ack: "client-individual" });
    const tx = c.begin();
    tx.abort();
    const tx2 = c.begin();
    c.publish({ destination: "/topic/tx", body: "in", headers: { transaction: tx2.id } });
    c.publish({ destination: "/topic/tx", body: "out" });
    tx2.commit();
    const [first, second] = [await s.next(), await s.next()];
    assert.deepEqual([first.body, second.body], ["out", "in"]);
    first.ack();
    second.nack();
    await done(c);
    s.unsubscribe();
    c.publish({ destination: "/topic/tx", body: "nobody" });
    await done(c);
    assert.equal(s.waiting.length, 0);
    await c.deactivate();
  },

  async "the application answers a user on another node"() {
    const [a, b] = [await open(urlA, { connectHeaders: { login: "ann" } }), await open(urlB, { connectHeaders: { login: "bob" } })];
    assert.equal(a.hello.headers["user-name"], "ann");
    const s = await subscribe(a, "/user/queue/notes");
    b.publish({ destination: "/app/note", body: "hello", headers: { to: "ann" } });
    assert.equal((await s.next()).body, "hello");
    await Promise.all([a.deactivate(), b.deactivate()]);
  },

  async "an error names the fault"() {
    const c = await open(urlA);
    const fault = new Promise((resolve) => { c.onFault = resolve; });
    const closed = new Promise((resolve) => { c.onClose = resolve; });
    c.publish({ destination: "/elsewhere", body: "" });
    assert.match((await fault).headers.message, /destination must be/);
    assert.equal((await closed).code, 1002);
    await c.deactivate();
    await assert.rejects(open(urlA, { connectHeaders: { login: "nobody" } }), /nobody may not connect/);
  },

  async "heart-beats keep a quiet client, and only a live one"() {
    const c = await open(urlA, { heartbeatIncoming: 1000, heartbeatOutgoing: 1000 });
    let closed = false;
    c.onClose = () => { closed = true; };
    await new Promise((resolve) => setTimeout(resolve, 5000));
    assert.equal(closed, false);
    await done(c);
    await c.deactivate();
  },

  async "a client comes back by itself"() {
    let connects = 0;
    const again = new EventEmitter();
    const c = new Client({
      webSocketFactory: () => new WebSocket(urlA.replace("http", "ws") + "/stomp"),
      reconnectDelay: 50,
      reconnectTimeMode: ReconnectionTimeMode?.LINEAR,
      onConnect: () => { connects++; again.emit("up"); },
    });
    c.activate();
    await once(again, "up", { signal: AbortSignal.timeout(patience) });
    const up = once(again, "up", { signal: AbortSignal.timeout(patience) });
    c.publish({ destination: "/elsewhere", body: "" });
    await up;
    assert.equal(connects, 2);
    await c.deactivate();
  },
};

(async () => {
  for (const [name, run] of Object.entries(scenarios)) {
    try {
      await run();
      console.log(`passed: ${name}`);
    } catch (err) {
      console.error(`failed: ${name}\n${err.stack}`);
      process.exit(1);
    }
  }
  process.exit(0);
})();
