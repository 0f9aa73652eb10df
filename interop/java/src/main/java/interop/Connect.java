package interop;

import io.socket.client.IO;
import io.socket.client.Socket;
import java.util.Map;
import java.util.function.Consumer;
import org.json.JSONObject;

/** Connecting, and being refused. */
final class Connect {
  static void addTo(Map<String, Client.Scenario> all) {
    all.put("connect", Connect::connect);
    all.put("transport", Connect::transport);
    all.put("query", Connect::query);
    all.put("auth", Connect::auth);
    all.put("namespace-static", run -> echoes(run, "/custom"));
    all.put("namespace-dynamic", run -> echoes(run, "/dyn-101"));
    all.put("namespace-unknown", Connect::unknown);
    all.put("namespace-refused", Connect::refused);
    all.put("namespace-refused-plain", Connect::refusedPlain);
    all.put("namespace-guarded", Connect::guarded);
    all.put("namespace-shared", Connect::shared);
  }

  private static void connect(Run run) throws Exception {
    String id = run.connect().id();
    if (!id.matches("[A-Za-z0-9_-]{20}")) {
      throw new AssertionError("id " + id);
    }
    Check.differ(run.connect().id(), id);
  }

  private static void transport(Run run) throws Exception {
    Peer peer = run.connect();
    Check.equal(peer.ask("echo", "after"), "after");
    String want = run.transport.equals("polling") ? "polling" : "websocket";
    // The library does not tell the name: its user sees the class.
    Run.until("the transport is " + want, () -> Engine.transport(peer).equals(want));
    Check.equal(peer.ask("echo", "again"), "again");
  }

  private static void query(Run run) throws Exception {
    Peer peer = run.connect("main", "/", o -> o.query = "name=x%20y%26z%3D%C3%A9");
    Check.equal(((JSONObject) peer.ask("query")).get("name"), "x y&z=é");
  }

  private static void auth(Run run) throws Exception {
    Peer peer = run.connect("main", "/", token("s3cret"));
    Check.equal(peer.ask("auth"), new JSONObject().put("token", "s3cret"));
  }

  private static Consumer<IO.Options> token(String token) {
    return options -> options.auth = Map.of("token", token);
  }

  private static void echoes(Run run, String nsp) throws Exception {
    Check.equal(run.connect("main", nsp, o -> {}).ask("echo", nsp), nsp);
  }

  private static JSONObject refusal(Run run, String nsp, Consumer<IO.Options> options)
      throws Exception {
    Peer peer = run.open("main", nsp, options);
    peer.socket.connect();
    return (JSONObject) peer.next(Socket.EVENT_CONNECT_ERROR)[0];
  }

  private static void unknown(Run run) throws Exception {
    for (String nsp : new String[] {"/unknown", "/dyn-x"}) {
      Check.equal(refusal(run, nsp, o -> {}).get("message"), "Invalid namespace");
    }
  }

  private static void refused(Run run) throws Exception {
    JSONObject data = new JSONObject().put("code", 42);
    JSONObject want = new JSONObject().put("message", "not authorized").put("data", data);
    Check.equal(refusal(run, "/refused", o -> {}), want);
  }

  private static void refusedPlain(Run run) throws Exception {
    JSONObject want = new JSONObject().put("message", "not authorized");
    Check.equal(refusal(run, "/refused-plain", o -> {}), want);
  }

  private static void guarded(Run run) throws Exception {
    Check.equal(run.connect("main", "/guarded", token("secret")).ask("echo", 1), 1);
    refusal(run, "/guarded", token("guess"));
  }

  /** Two namespaces share a connection; leaving one keeps the other. */
  private static void shared(Run run) throws Exception {
    Peer main = run.connect();
    Peer custom = new Peer(main.socket.io().socket("/custom"));
    custom.connect();
    custom.socket.disconnect();
    Check.equal(custom.next(Socket.EVENT_DISCONNECT)[0], "io client disconnect");
    Check.equal(main.ask("echo", "still here"), "still here");
    custom.connect();
    Check.equal(custom.ask("echo", "again"), "again");
  }

  private Connect() {}
}
