package interop;

import io.socket.client.IO;
import java.net.HttpURLConnection;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import org.json.JSONObject;

/** One scenario's view of client and servers. It closes what it opened. */
final class Run {
  static final int PATIENCE = 8; // seconds

  final String transport;
  private final JSONObject targets;
  private final List<Peer> peers = new ArrayList<>();

  Run(JSONObject config) throws Exception {
    transport = config.getString("transport");
    targets = config.getJSONObject("targets");
  }

  static String id(String prefix) {
    return prefix + "-" + UUID.randomUUID();
  }

  private String[] transports() {
    if (transport.equals("upgrade")) {
      return new String[] {"polling", "websocket"};
    }
    return new String[] {transport};
  }

  /** Starts a socket on a connection of its own; it is not connected yet. */
  Peer open(String profile, String nsp, Consumer<IO.Options> change) throws Exception {
    IO.Options options = new IO.Options();
    options.transports = transports();
    options.forceNew = true;
    options.reconnection = false;
    change.accept(options);
    String url = targets.getJSONObject("urls").getString(profile);
    Peer peer = new Peer(IO.socket(URI.create(nsp.equals("/") ? url : url + nsp), options));
    peers.add(peer);
    return peer;
  }

  Peer connect(String profile, String nsp, Consumer<IO.Options> change) throws Exception {
    Peer peer = open(profile, nsp, change);
    peer.connect();
    return peer;
  }

  Peer connect(String profile) throws Exception {
    return connect(profile, "/", options -> {});
  }

  Peer connect() throws Exception {
    return connect("main");
  }

  /** Repeats a question until its answer is right. */
  static <T> T until(String what, Callable<T> question) throws Exception {
    long deadline = System.nanoTime() + PATIENCE * 1_000_000_000L;
    while (System.nanoTime() < deadline) {
      T answer = question.call();
      if (answer != null && !answer.equals(false)) {
        return answer;
      }
    }
    throw new AssertionError("never came true: " + what);
  }

  /** Asks why the server thinks that a socket left, once it has. */
  static String ending(Peer witness, String id) throws Exception {
    return until(
        "the server saw the end",
        () -> {
          JSONObject record = (JSONObject) witness.ask("record", id);
          return record.isNull("reason") ? null : record.getString("reason");
        });
  }

  String ending(String id) throws Exception {
    return ending(connect(), id);
  }

  /** Does something to the network in front of a profile. */
  void control(String what, String profile) throws Exception {
    URI uri = URI.create(targets.getString("control") + "/" + what + "/" + profile);
    HttpURLConnection request = (HttpURLConnection) uri.toURL().openConnection();
    request.setRequestMethod("POST");
    if (request.getResponseCode() != 200) {
      throw new AssertionError("control " + what + ": " + request.getResponseCode());
    }
  }

  void close() {
    for (Peer peer : peers) {
      peer.socket.io().reconnection(false);
      peer.socket.close();
    }
  }
}
