package interop;

import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.json.JSONArray;
import org.json.JSONObject;

/** Rooms of one node. */
final class Rooms {
  static void addTo(Map<String, Client.Scenario> all) {
    all.put("room-broadcast", Rooms::broadcast);
    all.put("room-leave", Rooms::leave);
    all.put("room-except", Rooms::except);
    all.put("room-without-sender", Rooms::withoutSender);
    all.put("room-union", Rooms::union);
    all.put("room-own-id", Rooms::ownId);
    all.put("room-binary", Rooms::binary);
    all.put("room-everybody", Rooms::everybody);
    all.put("volatile", Rooms::fleeting);
    all.put("members", Rooms::members);
  }

  /** A few sockets that note what they are told. */
  private static final class Party {
    final Map<String, Peer> peers = new LinkedHashMap<>();

    Party(Run run, String... names) throws Exception {
      for (String name : names) {
        peers.put(name, run.connect().listen("told"));
      }
    }

    Peer get(String name) {
      return peers.get(name);
    }

    void join(String room, String... names) throws Exception {
      for (String name : names) {
        get(name).ask("join", new JSONArray().put(room));
      }
    }

    /**
     * Compares what one was told, after a question that the server answers after whatever it told
     * before.
     */
    void told(String name, Object... want) throws Exception {
      heard("told", name, want);
    }

    void heard(String event, String name, Object... want) throws Exception {
      get(name).ask("echo");
      Check.equal(get(name).heard(event), Arrays.asList(want));
    }
  }

  static JSONObject to(String... rooms) throws Exception {
    return new JSONObject().put("to", new JSONArray(Arrays.asList(rooms)));
  }

  private static void broadcast(Run run) throws Exception {
    Party party = new Party(run, "a", "b", "c");
    String room = Run.id("room");
    party.join(room, "a", "b");
    Object[] rooms = {room, party.get("a").id()};
    Arrays.sort(rooms);
    Check.equal(party.get("a").ask("rooms"), rooms);
    party.get("c").ask("tell", to(room), "hello");
    party.told("a", "hello");
    party.told("b", "hello");
    party.told("c");
  }

  private static void leave(Run run) throws Exception {
    Party party = new Party(run, "a", "b");
    String room = Run.id("room");
    party.join(room, "a", "b");
    party.get("a").ask("leave", room);
    party.get("a").ask("tell", to(room), 1);
    party.told("a");
    party.told("b", 1);
  }

  private static void except(Run run) throws Exception {
    Party party = new Party(run, "a", "b", "c");
    String room = Run.id("room");
    String out = Run.id("out");
    party.join(room, "a", "b", "c");
    party.join(out, "b");
    JSONObject payload = new JSONObject().put("x", 1);
    party.get("a").ask("tell", to(room).put("except", new JSONArray().put(out)), payload);
    party.told("a", payload);
    party.told("b");
    party.told("c", payload);
  }

  private static void withoutSender(Run run) throws Exception {
    Party party = new Party(run, "a", "b");
    String room = Run.id("room");
    party.join(room, "a", "b");
    party.get("a").ask("tell", to(room).put("sender", false), 1);
    party.told("a");
    party.told("b", 1);
  }

  private static void union(Run run) throws Exception {
    Party party = new Party(run, "a", "b", "c");
    String one = Run.id("one");
    String two = Run.id("two");
    party.join(one, "a");
    party.join(two, "a", "b");
    party.get("c").ask("tell", to(one, two, Run.id("nobody")), "once");
    party.told("a", "once");
    party.told("b", "once");
    party.told("c");
  }

  private static void ownId(Run run) throws Exception {
    Party party = new Party(run, "a", "b");
    party.get("a").ask("tell", to(party.get("b").id()), "psst");
    party.told("a");
    party.told("b", "psst");
  }

  private static void binary(Run run) throws Exception {
    Party party = new Party(run, "a", "b");
    String room = Run.id("room");
    party.join(room, "b");
    JSONObject payload = new JSONObject().put("blob", Echo.bytes(1, 2, 3)).put("text", "é");
    party.get("a").ask("tell", to(room), payload);
    party.told("a");
    party.told("b", new JSONObject().put("blob", Echo.bytes(1, 2, 3)).put("text", "é"));
  }

  private static void everybody(Run run) throws Exception {
    Party party = new Party(run, "a", "b");
    String event = Run.id("event");
    party.peers.values().forEach(peer -> peer.listen(event));
    JSONObject how = new JSONObject().put("event", event);
    party.get("a").ask("tell", how, 1);
    party.get("a").ask("tell", how.put("sender", false), 2);
    party.heard(event, "a", 1);
    party.heard(event, "b", 1, 2);
  }

  /** A volatile message may be dropped while nobody listens, never doubled. */
  private static void fleeting(Run run) throws Exception {
    Party party = new Party(run, "a", "b");
    JSONObject how = to(party.get("b").id()).put("volatile", true);
    List<Object> got =
        Run.until(
            "a volatile message arrives",
            () -> {
              party.get("a").ask("tell", how, Run.id("v"));
              party.get("b").ask("echo");
              List<Object> heard = party.get("b").heard("told");
              return heard.isEmpty() ? null : heard;
            });
    Check.equal(new HashSet<>(got).size(), got.size());
  }

  private static void members(Run run) throws Exception {
    Party party = new Party(run, "a", "b");
    String room = Run.id("room");
    party.join(room, "a", "b");
    Object[] ids = {party.get("a").id(), party.get("b").id()};
    Arrays.sort(ids);
    Check.equal(party.get("a").ask("members", room), ids);
    JSONObject data = new JSONObject().put("name", "é");
    party.get("b").ask("data", data);
    Check.equal(party.get("b").ask("data"), data);
  }

  private Rooms() {}
}
