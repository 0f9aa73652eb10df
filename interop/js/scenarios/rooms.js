"use strict";

const assert = require("node:assert/strict");

// Party is a few sockets that note what they are told.
class Party {
  static async of(run, names, profile) {
    const party = new Party(run);
    for (const name of names) await party.add(name, profile);
    return party;
  }

  constructor(run) {
    this.run = run;
    this.sockets = {};
    this.told = {};
  }

  async add(name, profile) {
    const socket = await this.run.connect(profile);
    this.sockets[name] = socket;
    this.told[name] = [];
    socket.on("told", (payload) => this.told[name].push(payload));
  }

  ask(name, ...args) {
    return this.run.ask(this.sockets[name], ...args);
  }

  // expect compares what everybody was told, after a question to each that the
  // server answers after whatever it told them before.
  async expect(want) {
    for (const name of Object.keys(this.sockets)) await this.ask(name, "echo");
    assert.deepEqual(this.told, want);
  }
}

module.exports = {
  async "room-broadcast"(run) {
    const party = await Party.of(run, ["a", "b", "c"]);
    const room = run.id("room");
    await party.ask("a", "join", [room]);
    await party.ask("b", "join", [room]);
    assert.deepEqual(
      await party.ask("a", "rooms"),
      [room, party.sockets.a.id].sort(),
    );
    await party.ask("c", "tell", { to: [room] }, "hello");
    await party.expect({ a: ["hello"], b: ["hello"], c: [] });
  },

  async "room-leave"(run) {
    const party = await Party.of(run, ["a", "b"]);
    const room = run.id("room");
    await party.ask("a", "join", [room]);
    await party.ask("b", "join", [room]);
    await party.ask("a", "leave", room);
    await party.ask("a", "tell", { to: [room] }, 1);
    await party.expect({ a: [], b: [1] });
  },

  async "room-except"(run) {
    const party = await Party.of(run, ["a", "b", "c"]);
    const [room, out] = [run.id("room"), run.id("out")];
    for (const name of ["a", "b", "c"]) await party.ask(name, "join", [room]);
    await party.ask("b", "join", [out]);
    await party.ask("a", "tell", { to: [room], except: [out] }, { x: 1 });
    await party.expect({ a: [{ x: 1 }], b: [], c: [{ x: 1 }] });
  },

  async "room-without-sender"(run) {
    const party = await Party.of(run, ["a", "b"]);
    const room = run.id("room");
    await party.ask("a", "join", [room]);
    await party.ask("b", "join", [room]);
    await party.ask("a", "tell", { sender: false, to: [room] }, 1);
    await party.expect({ a: [], b: [1] });
  },

  async "room-union"(run) {
    const party = await Party.of(run, ["a", "b", "c"]);
    const [one, two] = [run.id("one"), run.id("two")];
    await party.ask("a", "join", [one, two]);
    await party.ask("b", "join", [two]);
    await party.ask("c", "tell", { to: [one, two, run.id("nobody")] }, "once");
    await party.expect({ a: ["once"], b: ["once"], c: [] });
  },

  async "room-own-id"(run) {
    const party = await Party.of(run, ["a", "b"]);
    await party.ask("a", "tell", { to: [party.sockets.b.id] }, "psst");
    await party.expect({ a: [], b: ["psst"] });
  },

  async "room-binary"(run) {
    const party = await Party.of(run, ["a", "b"]);
    const room = run.id("room");
    await party.ask("b", "join", [room]);
    const payload = { blob: Buffer.from([1, 2, 3]), text: "é" };
    await party.ask("a", "tell", { to: [room] }, payload);
    await party.expect({ a: [], b: [payload] });
  },

  async "room-everybody"(run) {
    const party = await Party.of(run, ["a", "b"]);
    const event = run.id("event"); // other clients are there as well
    for (const name of ["a", "b"]) {
      party.sockets[name].on(event, (payload) => party.told[name].push(payload));
    }
    await party.ask("a", "tell", { event }, 1);
    await party.ask("a", "tell", { event, sender: false }, 2);
    await party.expect({ a: [1], b: [1, 2] });
  },

  // A volatile message may be dropped while nobody listens, never doubled.
  async volatile(run) {
    const party = await Party.of(run, ["a", "b"]);
    const to = [party.sockets.b.id];
    await run.until("a volatile message arrives", async () => {
      const n = party.told.b.length;
      await party.ask("a", "tell", { to, volatile: true }, run.id("v"));
      await party.ask("b", "echo");
      return party.told.b.length > n;
    });
    assert.equal(new Set(party.told.b).size, party.told.b.length);
  },

  async members(run) {
    const party = await Party.of(run, ["a", "b"]);
    const room = run.id("room");
    await party.ask("a", "join", [room]);
    await party.ask("b", "join", [room]);
    const ids = Object.values(party.sockets).map((s) => s.id).sort();
    assert.deepEqual(await party.ask("a", "members", room), ids);
    await party.ask("b", "data", { name: "é" });
    assert.deepEqual(await party.ask("b", "data"), { name: "é" });
  },
};
