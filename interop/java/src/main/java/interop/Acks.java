package interop;

import io.socket.client.Ack;
import io.socket.client.AckWithTimeout;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.json.JSONArray;
import org.json.JSONObject;

/** Acknowledgements that the server asks for, and those that come late. */
final class Acks {
  static void addTo(Map<String, Client.Scenario> all) {
    all.put("ack-from-client", Acks::fromClient);
    all.put("ack-broadcast", Acks::broadcast);
    all.put("ack-broadcast-timeout", Acks::broadcastTimeout);
    all.put("ack-timeout", Acks::timeout);
  }

  /** Replies to the server's questions with what becomes of their first argument. */
  static void answer(Peer peer, UnaryOperator<Object> answer) {
    peer.socket.on(
        "question", args -> ((Ack) args[args.length - 1]).call(answer.apply(args[0])));
  }

  static JSONObject result(String error, Object... answers) throws Exception {
    return new JSONObject()
        .put("error", error == null ? JSONObject.NULL : error)
        .put("answers", new JSONArray(Arrays.asList(answers)));
  }

  private static void fromClient(Run run) throws Exception {
    Peer peer = run.connect();
    answer(peer, question -> question);
    for (Object question : new Object[] {"é", new JSONObject().put("a", 1), Echo.bytes(9, 8)}) {
      Check.equal(peer.asks("ask-me", question), new Object[] {question});
    }
  }

  private static void broadcast(Run run) throws Exception {
    String room = Run.id("room");
    for (int n : new int[] {1, 2}) {
      Peer member = run.connect();
      answer(member, payload -> (int) payload + n);
      member.ask("join", new JSONArray().put(room));
    }
    Check.equal(run.connect().ask("poll", room, 5000, 10), result(null, 11, 12));
  }

  private static void broadcastTimeout(Run run) throws Exception {
    String room = Run.id("room");
    Peer answers = run.connect();
    answer(answers, payload -> payload);
    for (Peer member : new Peer[] {answers, run.connect()}) {
      member.ask("join", new JSONArray().put(room));
    }
    Check.equal(answers.ask("poll", room, 1000, "x"), result("timeout", "x"));
  }

  private static void timeout(Run run) throws Exception {
    Peer peer = run.connect();
    Check.equal(within(peer, 50, "never"), "timeout");
    Check.equal(within(peer, 50, "late", 1000), "timeout");
    Check.equal(within(peer, 5000, "late", 20), "late");
  }

  private static Object within(Peer peer, int ms, String event, Object... args) throws Exception {
    BlockingQueue<Object> back = new LinkedBlockingQueue<>();
    Ack ack =
        new AckWithTimeout(ms) {
          @Override
          public void onSuccess(Object... args) {
            back.add(args[0]);
          }

          @Override
          public void onTimeout() {
            back.add("timeout");
          }
        };
    peer.socket.emit(event, args, ack);
    return back.poll(Run.PATIENCE, TimeUnit.SECONDS);
  }

  private Acks() {}
}
