package interop;

import io.socket.client.Socket;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.json.JSONArray;
import org.json.JSONObject;

/** Two nodes act as one server. */
final class Cluster {
  private final String room = Run.id("room");
  private final Peer a;
  private final Peer b;

  /** One socket on each of two nodes, both in a room. */
  private Cluster(Run run) throws Exception {
    a = run.connect("a").listen("told");
    b = run.connect("b").listen("told");
    for (Peer peer : new Peer[] {a, b}) {
      peer.ask("join", new JSONArray().put(room));
    }
  }

  static void addTo(Map<String, Client.Scenario> all) {
    all.put("cluster-room", run -> new Cluster(run).room());
    all.put("cluster-order", run -> new Cluster(run).order());
    all.put("cluster-except", run -> new Cluster(run).except());
    all.put("cluster-members", run -> new Cluster(run).members());
    all.put("cluster-poll", run -> new Cluster(run).poll());
    all.put("cluster-move", run -> new Cluster(run).move());
    all.put("cluster-expel", run -> new Cluster(run).expel());
    all.put("cluster-nodes", run -> new Cluster(run).nodes());
  }

  private JSONObject toRoom() throws Exception {
    return Rooms.to(room);
  }

  private void room() throws Exception {
    JSONObject payload = new JSONObject().put("from", "a").put("blob", Echo.bytes(1));
    a.ask("tell", toRoom(), payload);
    for (Peer peer : new Peer[] {a, b}) {
      JSONObject want = new JSONObject().put("from", "a").put("blob", Echo.bytes(1));
      Check.equal(peer.next("told"), new Object[] {want});
    }
  }

  private void order() throws Exception {
    List<Object> sent = new ArrayList<>();
    for (int i = 0; i < 300; i++) {
      sent.add(i);
      a.socket.emit("tell", new Object[] {toRoom(), i}, args -> {});
    }
    Check.equal(b.next("told", 300), sent);
  }

  private void except() throws Exception {
    a.ask("tell", toRoom().put("except", new JSONArray().put(b.id())), 1);
    a.ask("tell", toRoom().put("local", true), 2);
    b.ask("tell", toRoom().put("sender", false), 3);
    a.ask("tell", Rooms.to(b.id()), "last");
    Check.equal(b.next("told"), new Object[] {"last"});
    Check.equal(b.heard("told").size(), 0);
  }

  private void members() throws Exception {
    Object[] ids = {a.id(), b.id()};
    Arrays.sort(ids);
    Check.equal(a.ask("members", room), ids);
    a.ask("data", "of a");
    b.ask("data", "of b");
    Check.equal(a.ask("members-data", room), new Object[] {"of a", "of b"});
  }

  private void poll() throws Exception {
    Acks.answer(a, n -> (int) n + 1);
    Acks.answer(b, n -> (int) n + 2);
    Check.equal(a.ask("poll", room, 5000, 10), Acks.result(null, 11, 12));
  }

  private void move() throws Exception {
    String other = Run.id("other");
    a.ask("move", room, other);
    Run.until("b has moved", () -> roomsOfB().contains(other));
    Run.until("b has left", () -> !roomsOfB().contains(room));
  }

  private List<Object> roomsOfB() throws Exception {
    return Check.elements((JSONArray) b.ask("rooms"));
  }

  private void expel() throws Exception {
    a.socket.emit("expel", new Object[] {room}, args -> {});
    for (Peer peer : new Peer[] {a, b}) {
      Check.equal(peer.next(Socket.EVENT_DISCONNECT)[0], "io server disconnect");
    }
  }

  private void nodes() throws Exception {
    Check.equal(a.ask("ask-nodes", "hi"), Acks.result(null, "hi noted"));
  }
}
