package interop;

import io.socket.client.Ack;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Many messages keep their order. */
final class Order {
  static void addTo(Map<String, Client.Scenario> all) {
    all.put("order-up", Order::up);
    all.put("order-down", Order::down);
    all.put("order-mixed", Order::mixed);
    all.put("order-acks", Order::acks);
  }

  private static List<Object> numbers(int n) {
    List<Object> all = new ArrayList<>();
    for (int i = 0; i < n; i++) {
      all.add(i);
    }
    return all;
  }

  private static void up(Run run) throws Exception {
    Peer peer = run.connect();
    numbers(1000).forEach(i -> peer.emit("number", i));
    Check.equal(peer.ask("numbers"), numbers(1000));
  }

  private static void down(Run run) throws Exception {
    Peer peer = run.connect().listen("number");
    peer.emit("count", 1000);
    Check.equal(peer.next("number", 1000), numbers(1000));
  }

  /** Text and binary take turns: attachments must stay with their packet. */
  private static void mixed(Run run) throws Exception {
    Peer peer = run.connect().listen("said");
    List<Object> sent = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      sent.add(i % 2 == 0 ? (Object) i : Echo.bytes(i));
    }
    sent.forEach(value -> peer.emit("say-back", value));
    Check.equal(peer.next("said", 200), sent);
  }

  /** Every acknowledgement comes back to its own question. */
  private static void acks(Run run) throws Exception {
    Peer peer = run.connect();
    Object[] got = new Object[500];
    CountDownLatch missing = new CountDownLatch(got.length);
    for (int i = 0; i < got.length; i++) {
      int question = i;
      Ack ack =
          args -> {
            got[question] = args[0];
            missing.countDown();
          };
      peer.socket.emit("echo", new Object[] {question}, ack);
    }
    if (!missing.await(Run.PATIENCE, TimeUnit.SECONDS)) {
      throw new AssertionError(missing.getCount() + " answers are missing");
    }
    Check.equal(got, numbers(got.length));
  }

  private Order() {}
}
