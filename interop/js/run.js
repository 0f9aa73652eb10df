"use strict";

const { randomUUID } = require("node:crypto");

const transports = {
  polling: ["polling"],
  upgrade: ["polling", "websocket"],
  websocket: ["websocket"],
};

// Run is one scenario's view of client and servers. It closes what it opened.
class Run {
  constructor({ version, transport, targets }) {
    this.version = version;
    this.transport = transport;
    this.targets = targets;
    this.io = require(`socket.io-client-v${version}`);
    this.sockets = [];
  }

  // id makes a name that no other run uses.
  id(prefix) {
    return `${prefix}-${randomUUID()}`;
  }

  // open starts a socket on a connection of its own, without waiting.
  open(profile = "main", nsp = "/", options = {}) {
    const url = this.targets.urls[profile] + (nsp === "/" ? "" : nsp);
    const socket = this.io(url, {
      transports: transports[this.transport],
      forceNew: true,
      reconnection: false,
      ...options,
    });
    this.sockets.push(socket);
    return socket;
  }

  // connect opens a socket and waits until its namespace has accepted it.
  async connect(profile, nsp, options) {
    const socket = this.open(profile, nsp, options);
    await this.connected(socket);
    return socket;
  }

  async connected(socket) {
    if (socket.connected) return;
    const failed = this.next(socket, this.refusal).then(([why]) => {
      throw new Error(`refused: ${why.message ?? JSON.stringify(why)}`);
    });
    await Promise.race([this.next(socket, "connect"), failed]);
  }

  // refusal is the event of a socket whose namespace did not let it in.
  get refusal() {
    return this.version === 2 ? "error" : "connect_error";
  }

  // next resolves with the arguments of the next event of this name.
  next(emitter, event, ms = 8000) {
    const got = new Promise((done) => emitter.once(event, (...args) => done(args)));
    return this.within(ms, `event ${event}`, got);
  }

  // collect resolves with the first arguments of the next n events. It gives up
  // when none has come for a while.
  collect(emitter, event, n, ms = 6000) {
    const all = [];
    return new Promise((done, fail) => {
      const late = () => fail(new Error(`event ${event}: ${all.length} of ${n}, then none`));
      let timer = setTimeout(late, ms);
      emitter.on(event, (arg) => {
        all.push(arg);
        clearTimeout(timer);
        if (all.length === n) return done(all);
        timer = setTimeout(late, ms);
      });
    });
  }

  // ask emits and resolves with the arguments of the acknowledgement.
  asks(socket, event, ...args) {
    const got = new Promise((done) => socket.emit(event, ...args, (...back) => done(back)));
    return this.within(8000, `ack of ${event}`, got);
  }

  async ask(socket, event, ...args) {
    return (await this.asks(socket, event, ...args))[0];
  }

  // until repeats an asynchronous question until its answer is right.
  async until(what, question) {
    const deadline = Date.now() + 8000;
    for (;;) {
      const answer = await question();
      if (answer) return answer;
      if (Date.now() > deadline) throw new Error(`never came true: ${what}`);
    }
  }

  // ending asks, as witness, why the server thinks that a socket left; it waits
  // until the socket has.
  async ending(witness, id) {
    return this.until("the server saw the end", async () => {
      return (await this.ask(witness, "record", id)).reason;
    });
  }

  async upgraded(socket) {
    const engine = socket.io.engine;
    if (this.transport !== "upgrade" || engine.transport.name === "websocket") return;
    await this.next(engine, "upgrade");
  }

  // control does something to the network in front of a profile: cut, freeze,
  // thaw.
  async control(what, profile) {
    const res = await fetch(`${this.targets.control}/${what}/${profile}`, { method: "POST" });
    if (!res.ok) throw new Error(`control ${what}: ${res.status}`);
  }

  within(ms, what, promise) {
    let timer;
    const late = new Promise((_, fail) => {
      timer = setTimeout(() => fail(new Error(`${what}: not within ${ms} ms`)), ms);
    });
    promise.catch(() => {});
    late.catch(() => {});
    return Promise.race([promise, late]).finally(() => clearTimeout(timer));
  }

  // close ends every connection that is still open.
  async close() {
    for (const socket of this.sockets) {
      socket.io.reconnection(false);
      socket.close();
    }
  }
}

module.exports = { Run };
