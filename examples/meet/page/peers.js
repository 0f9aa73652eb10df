// The connections from browser to browser: from who shares to each who watches.
//
// The sharer makes all offers. An offer is always a new connection, so whoever
// watches replaces the one they have; nothing is negotiated twice.

const uplink = 8_000_000; // bits per second, for all who watch together
const leastRate = 300_000;
const maxFrameRate = 60;
const againAfter = 2000; // ms until a connection that failed is made anew
const settled = 3000; // ms after which an offer is not ahead of the news any more
const maxEarly = 100; // candidates that wait, of one person

export class Peers {
  #rtc; // what RTCPeerConnection gets
  #send;
  #onVideo;
  #onLive;
  #stream = null; // what I share
  #links = new Map(); // person → Link
  #early = new Map(); // person → candidates that came before the connection
  #sharer = null; // who shares, as far as the server has said

  // send(event, {to, …}) reaches a person; onVideo(from, stream) is called when
  // there is something to see, and with null when that is over; onLive(live) when
  // the picture no longer comes, or comes again.
  constructor({ iceServers, send, onVideo, onLive }) {
    this.#rtc = { iceServers, bundlePolicy: "max-bundle", rtcpMuxPolicy: "require" };
    this.#send = send;
    this.#onVideo = onVideo;
    this.#onLive = onLive;
  }

  // The side that shares

  share(stream) {
    this.close();
    this.#stream = stream;
  }

  // offerTo connects with everyone in the list and drops all others. Who has come
  // back over another socket is someone who may have lost the connection.
  offerTo(people) {
    if (!this.#stream) {
      return;
    }
    this.#keep((person, link) => people.some((u) => u.id === person && u.socketId === link.socket));
    for (const { id, socketId } of people) {
      if (!this.#links.has(id)) {
        this.#offer(id, socketId);
      }
    }
    this.#shareUplink();
  }

  async #offer(person, socket) {
    const link = this.#connect(person, socket);
    for (const track of this.#stream.getTracks()) {
      track.contentHint = track.kind === "video" ? "detail" : "";
      link.rtc.addTrack(track, this.#stream);
    }
    link.onState = (state) => state === "failed" && setTimeout(() => {
      if (this.#links.get(person) === link) {
        this.#drop(person, link);
        this.#offer(person, socket);
      }
    }, againAfter);
    try {
      await link.rtc.setLocalDescription();
      if (!link.closed) {
        this.#send("offer", { to: person, offer: link.rtc.localDescription });
      }
    } catch (err) {
      this.#report(link, err);
    }
  }

  async answered(from, answer) {
    const link = this.#links.get(from);
    if (!this.#stream || link?.rtc.signalingState !== "have-local-offer") {
      return;
    }
    try {
      await link.describe(answer);
      this.#shareUplink();
    } catch (err) {
      this.#report(link, err);
    }
  }

  // #shareUplink gives all who watch the same part of it.
  #shareUplink() {
    const rate = Math.max(leastRate, Math.floor(uplink / Math.max(1, this.#links.size)));
    for (const link of this.#links.values()) {
      link.limit(rate, maxFrameRate);
    }
  }

  // The side that watches

  async offered(from, offer) {
    if (this.#stream) {
      return;
    }
    this.#keep(() => false);
    const link = this.#connect(from, "");
    link.onState = (state) => this.#onLive(!["disconnected", "failed"].includes(state));
    setTimeout(() => this.#confirm(from, link), settled);
    link.rtc.addEventListener("track", (event) => {
      if (this.#links.get(from) === link) {
        this.#onVideo(from, event.streams[0]);
      }
    });
    try {
      await link.describe(offer);
      await link.rtc.setLocalDescription();
      if (!link.closed) {
        this.#send("answer", { to: from, answer: link.rtc.localDescription });
      }
    } catch (err) {
      this.#report(link, err);
    }
  }

  // watch says who shares now and who is here. An offer may be ahead of the news
  // that its sender shares, so what was not confirmed has not ended.
  watch(sharer, people) {
    const here = new Set(people.map((u) => u.id));
    this.#sharer = sharer;
    this.#keep((person, link) => {
      link.confirmed ||= person === sharer;
      return here.has(person) && (person === sharer || !link.confirmed);
    });
    for (const person of this.#early.keys()) {
      if (!here.has(person)) {
        this.#early.delete(person);
      }
    }
  }

  #confirm(from, link) {
    link.confirmed = true;
    if (!link.closed && from !== this.#sharer) {
      this.#drop(from, link);
    }
  }

  // Both

  candidate(from, candidate) {
    const link = this.#links.get(from);
    if (link) {
      link.candidate(candidate);
      return;
    }
    const early = this.#early.get(from) ?? [];
    this.#early.set(from, early);
    if (early.length < maxEarly) {
      early.push(candidate);
    }
  }

  close() {
    this.#stream = null;
    this.#keep(() => false);
    this.#early.clear();
  }

  #connect(person, socket) {
    const link = new Link(this.#rtc, socket, this.#early.get(person));
    this.#early.delete(person);
    link.rtc.addEventListener("icecandidate", ({ candidate }) => {
      if (candidate && !link.closed) {
        this.#send("ice-candidate", { to: person, candidate });
      }
    });
    this.#links.set(person, link);
    return link;
  }

  #keep(wanted) {
    for (const [person, link] of [...this.#links]) {
      if (!wanted(person, link)) {
        this.#drop(person, link);
      }
    }
  }

  #drop(person, link) {
    link.close();
    this.#links.delete(person);
    if (!this.#stream) {
      this.#onVideo(person, null);
    }
  }

  // #report says what went wrong, unless the connection was given up meanwhile.
  #report(link, err) {
    if (!link.closed) {
      console.warn("connection to a person:", err);
    }
  }
}

// Link is one connection.
class Link {
  closed = false;
  confirmed = false; // for who watches: its sender is known to share
  onState = () => {}; // called with the state of the connection
  #waiting; // candidates for which the description of the other side is missing

  constructor(config, socket, early = []) {
    this.rtc = new RTCPeerConnection(config);
    this.socket = socket;
    this.#waiting = early;
    this.rtc.addEventListener("connectionstatechange", () => this.onState(this.rtc.connectionState));
  }

  async describe(description) {
    await this.rtc.setRemoteDescription(description);
    const waiting = this.#waiting;
    this.#waiting = [];
    waiting.forEach((c) => this.#add(c));
  }

  candidate(c) {
    if (this.rtc.remoteDescription) {
      this.#add(c);
    } else if (this.#waiting.length < maxEarly) {
      this.#waiting.push(c);
    }
  }

  // A candidate of an earlier connection of the same person is refused: that is
  // no fault.
  #add(c) {
    this.rtc.addIceCandidate(c).catch(() => {});
  }

  limit(rate, frames) {
    for (const sender of this.rtc.getSenders()) {
      const p = sender.getParameters();
      if (sender.track?.kind === "video" && p.encodings?.length > 0) {
        Object.assign(p.encodings[0], { maxBitrate: rate, maxFramerate: frames });
        sender.setParameters(p).catch(() => {}); // it is only a wish
      }
    }
  }

  close() {
    this.closed = true;
    this.rtc.close();
  }
}
