package interop;

import io.socket.client.Socket;
import java.util.Map;

/** Why connections end, as both sides see it. */
final class Endings {
  static void addTo(Map<String, Client.Scenario> all) {
    all.put("disconnect-by-client", Endings::byClient);
    all.put("disconnect-raw", Endings::raw);
    all.put("disconnect-by-server", run -> kicked(run, false));
    all.put("disconnect-by-server-closing", run -> kicked(run, true));
    all.put("disconnect-after-words", Endings::afterWords);
    all.put("connect-again", Endings::again);
    all.put("too-big", Endings::tooBig);
    all.put("just-fits", Endings::justFits);
  }

  private static void byClient(Run run) throws Exception {
    Peer peer = run.connect();
    String id = peer.id();
    peer.socket.disconnect();
    Check.equal(peer.next(Socket.EVENT_DISCONNECT)[0], "io client disconnect");
    Check.equal(run.ending(id), "client namespace disconnect");
  }

  /** The engine goes away without a word of Socket.IO. */
  private static void raw(Run run) throws Exception {
    Peer peer = run.connect();
    peer.ask("echo");
    String id = peer.id();
    Engine.close(peer);
    Check.equal(peer.next(Socket.EVENT_DISCONNECT)[0], "forced close");
    Check.equal(run.ending(id), "transport close");
  }

  private static void kicked(Run run, boolean close) throws Exception {
    Peer peer = run.connect();
    String id = peer.id();
    peer.emit("kick", close);
    Check.equal(peer.next(Socket.EVENT_DISCONNECT)[0], "io server disconnect");
    Check.equal(run.ending(id), "server namespace disconnect");
  }

  /** What was sent before the end still arrives. */
  private static void afterWords(Run run) throws Exception {
    Peer peer = run.connect().listen("number");
    peer.emit("count", 100);
    peer.emit("kick", true);
    peer.next(Socket.EVENT_DISCONNECT);
    Check.equal(peer.heard("number").size(), 100);
  }

  private static void again(Run run) throws Exception {
    Peer peer = run.connect();
    String id = peer.id();
    peer.socket.disconnect();
    peer.next(Socket.EVENT_DISCONNECT);
    run.ending(id);
    peer.connect();
    Check.differ(peer.id(), id);
    Check.equal(peer.ask("echo", 1), 1);
  }

  /** More than the server takes in one message ends the connection. */
  private static void tooBig(Run run) throws Exception {
    Peer peer = run.connect("small");
    peer.ask("echo");
    String id = peer.id();
    peer.emit("echo", "x".repeat(20_000));
    Check.oneOf(
        peer.next(Socket.EVENT_DISCONNECT)[0], "transport close", "transport error");
    Check.oneOf(run.ending(id), "transport close", "transport error");
  }

  private static void justFits(Run run) throws Exception {
    String payload = "x".repeat(9000);
    Check.equal(run.connect("small").ask("echo", payload), payload);
  }

  private Endings() {}
}
