package interop;

import java.util.Arrays;
import java.util.Map;
import org.json.JSONArray;
import org.json.JSONObject;

/** What is sent comes back unchanged. */
final class Echo {
  static void addTo(Map<String, Client.Scenario> all) {
    all.put("echo-strings", run -> same(run, "", "a", "quote \" back \\ slash", "line\nfeed\t\0"));
    all.put("echo-unicode", run -> same(run, "é€😀", "\u2028\u2029", "日本語", "👩‍👩‍👧", "\u001e"));
    all.put(
        "echo-numbers",
        run -> same(run, 0, -1, 1.5, 1e21, 5e-324, (1L << 53) - 1, true, false, JSONObject.NULL));
    all.put("echo-nested", Echo::nested);
    all.put("echo-100k", run -> same(run, "0123456789".repeat(10_000)));
    all.put("echo-900k", run -> same(run, "0123456789".repeat(90_000)));
    all.put("binary-one", run -> same(run, bytes(0, 1, 2, -2, -1)));
    all.put("binary-many", run -> same(run, bytes(97), "between", filled(70_000), bytes(0x1e)));
    all.put("binary-nested", Echo::nestedBinary);
    all.put("binary-empty", run -> same(run, bytes(), bytes(1)));
    all.put("binary-900k", run -> same(run, filled(640_000)));
    all.put("binary-looks-alike", Echo::looksAlike);
  }

  static byte[] bytes(int... values) {
    byte[] b = new byte[values.length];
    for (int i = 0; i < b.length; i++) {
      b[i] = (byte) values[i];
    }
    return b;
  }

  private static byte[] filled(int n) {
    byte[] b = new byte[n];
    Arrays.fill(b, (byte) 0xa5);
    return b;
  }

  /** Expects the arguments back, by acknowledgement and as an event. */
  private static void same(Run run, Object... args) throws Exception {
    Peer peer = run.connect().listen("said");
    Check.equal(peer.asks("echo", args), args);
    peer.emit("say-back", args);
    Check.equal(peer.next("said"), args);
  }

  private static void nested(Run run) throws Exception {
    same(
        run,
        new JSONArray("[[],{},[[1]]]"),
        new JSONObject("{\"a\":{\"b\":[{\"c\":null}]},\"\":0,\"é\":[]}"));
  }

  private static void nestedBinary(Run run) throws Exception {
    JSONObject deep = new JSONObject().put("deep", bytes(2));
    JSONArray list = new JSONArray().put(bytes(1)).put(deep);
    same(run, new JSONObject().put("list", list), new JSONArray().put(bytes(3)));
  }

  private static void looksAlike(Run run) throws Exception {
    JSONObject fake = new JSONObject().put("_placeholder", true).put("num", 7);
    Check.equal(run.connect().ask("echo", fake), fake);
  }

  private Echo() {}
}
