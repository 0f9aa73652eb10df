"use strict";

// The Redis adapters of Socket.IO, by the names that --adapter takes. Each is a
// function from the URL of a Redis to what the option `adapter` of a server
// wants.

const { createClient } = require("redis");

// connect returns a client that is connected. Without a listener for errors a
// broken connection would end the process.
async function connect(client) {
  client.on("error", (err) => console.error("redis:", err.message));
  await client.connect();
  return client;
}

// pair returns a client for publishing and one for subscriptions.
async function pair(url) {
  const pub = createClient({ url });
  return Promise.all([connect(pub), connect(pub.duplicate())]);
}

exports.adapters = {
  async classic(url) {
    return require("@socket.io/redis-adapter").createAdapter(...(await pair(url)));
  },
  async sharded(url) {
    return require("@socket.io/redis-adapter").createShardedAdapter(...(await pair(url)));
  },
  async streams(url) {
    const client = await connect(createClient({ url }));
    return require("@socket.io/redis-streams-adapter").createAdapter(client);
  },
};
