package interop;

import io.socket.client.IO;
import io.socket.client.Socket;
import java.util.Map;

/** Networks that break. */
final class Links {
  static void addTo(Map<String, Client.Scenario> all) {
    all.put("reconnect", Links::reconnect);
    all.put("heartbeat", Links::heartbeat);
    all.put("silence", Links::silence);
    all.put("silence-seen-by-server", Links::silenceSeenByServer);
  }

  private static void eager(IO.Options options) {
    options.reconnection = true;
    options.reconnectionDelay = 20;
    options.reconnectionDelayMax = 100;
    options.randomizationFactor = 0;
  }

  private static void reconnect(Run run) throws Exception {
    Peer peer = run.connect("proxied-beat", "/", Links::eager);
    peer.ask("echo");
    String id = peer.id();
    run.control("cut", "proxied-beat");
    Check.oneOf(peer.next(Socket.EVENT_DISCONNECT)[0], "transport close", "transport error");
    for (int i = 0; i < 3; i++) {
      peer.emit("number", i);
    }
    peer.next(Socket.EVENT_CONNECT);
    Check.differ(peer.id(), id);
    Check.equal(peer.ask("numbers"), new Object[] {0, 1, 2});
    // A poll that was cut on its way is missed later.
    Check.oneOf(Run.ending(peer, id), "transport close", "transport error", "ping timeout");
  }

  /** A quiet connection lives longer than one that nobody keeps alive: 1.5 s. */
  private static void heartbeat(Run run) throws Exception {
    Peer peer = run.connect("beat");
    Check.equal(run.connect().ask("late", 2000), "late");
    Check.equal(peer.ask("echo", "alive"), "alive");
  }

  private static Peer silent(Run run) throws Exception {
    Peer peer = run.connect("proxied-beat");
    peer.ask("echo");
    run.control("freeze", "proxied-beat");
    return peer;
  }

  private static void silence(Run run) throws Exception {
    Check.equal(silent(run).next(Socket.EVENT_DISCONNECT)[0], "ping timeout");
    run.control("cut", "proxied-beat");
  }

  private static void silenceSeenByServer(Run run) throws Exception {
    Peer peer = run.connect("proxied-beat");
    peer.ask("echo");
    String id = peer.id();
    run.control("freeze", "proxied-beat");
    Check.equal(run.ending(id), "ping timeout");
    run.control("cut", "proxied-beat");
  }

  private Links() {}
}
