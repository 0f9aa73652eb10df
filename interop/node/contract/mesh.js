"use strict";

const { ClusterAdapter } = require("socket.io-adapter");

// Mesh joins several servers of this process into one cluster. Messages pass
// between them by reference, each in a turn of the event loop of its own, as
// they would over a network.
class Mesh {
  constructor() {
    this.nodes = new Map(); // namespace name -> adapters
  }

  adapter() {
    const mesh = this;
    return class extends MeshAdapter {
      constructor(nsp) {
        super(nsp, mesh);
      }
    };
  }

  of(name) {
    if (!this.nodes.has(name)) this.nodes.set(name, []);
    return this.nodes.get(name);
  }
}

class MeshAdapter extends ClusterAdapter {
  constructor(nsp, mesh) {
    super(nsp);
    this.peers = mesh.of(nsp.name);
    this.peers.push(this);
  }

  doPublish(message) {
    for (const peer of this.peers) {
      if (peer !== this) setImmediate(() => peer.onMessage(message));
    }
    return Promise.resolve("");
  }

  doPublishResponse(requester, response) {
    const peer = this.peers.find((p) => p.uid === requester);
    setImmediate(() => peer.onResponse(response));
    return Promise.resolve();
  }

  serverCount() {
    return Promise.resolve(this.peers.length);
  }
}

module.exports = { Mesh };
