package interop;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.LinkedHashMap;
import java.util.Map;
import org.json.JSONArray;
import org.json.JSONObject;

/**
 * Runs the scenarios of interop/README.md with the official Java client and prints one JSON line
 * for each: {"name", "ok", "detail", "ms"}. The argument is the configuration as JSON.
 */
public final class Client {
  /** A scenario fails by throwing. */
  interface Scenario {
    void run(Run run) throws Exception;
  }

  private static Map<String, Scenario> known() {
    Map<String, Scenario> all = new LinkedHashMap<>();
    Connect.addTo(all);
    Echo.addTo(all);
    Rooms.addTo(all);
    Order.addTo(all);
    Acks.addTo(all);
    Endings.addTo(all);
    Links.addTo(all);
    Cluster.addTo(all);
    return all;
  }

  public static void main(String[] args) throws Exception {
    JSONObject config = new JSONObject(args[0]);
    JSONArray names = config.getJSONArray("scenarios");
    Map<String, Scenario> known = known();
    for (int i = 0; i < names.length(); i++) {
      String name = names.getString(i);
      System.out.println(attempt(name, known.get(name), config));
    }
    System.exit(0); // without waiting for the library's threads
  }

  private static JSONObject attempt(String name, Scenario scenario, JSONObject config)
      throws Exception {
    Run run = new Run(config);
    long began = System.nanoTime();
    String detail = "";
    try {
      if (scenario == null) {
        throw new IllegalArgumentException("no such scenario");
      }
      scenario.run(run);
    } catch (Throwable t) {
      StringWriter trace = new StringWriter();
      t.printStackTrace(new PrintWriter(trace));
      detail = trace.toString();
    }
    run.close();
    return new JSONObject()
        .put("name", name)
        .put("ok", detail.isEmpty())
        .put("detail", detail)
        .put("ms", (System.nanoTime() - began) / 1_000_000);
  }

  private Client() {}
}
