package interop;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import org.json.JSONArray;
import org.json.JSONObject;

/** Compares values of JSON and binary. */
final class Check {
  static void equal(Object got, Object want) {
    String g = text(got);
    String w = text(want);
    if (!g.equals(w)) {
      throw new AssertionError("got " + cut(g) + ", want " + cut(w));
    }
  }

  static void oneOf(Object got, Object... want) {
    if (!Arrays.asList(want).contains(got)) {
      throw new AssertionError("got " + got + ", want one of " + Arrays.toString(want));
    }
  }

  static void differ(Object a, Object b) {
    if (text(a).equals(text(b))) {
      throw new AssertionError("twice " + a);
    }
  }

  private static String cut(String s) {
    return s.length() > 300 ? s.substring(0, 300) + "…" : s;
  }

  /** Writes a value so that equal ones read the same. */
  static String text(Object v) {
    if (v == null || v == JSONObject.NULL) {
      return "null";
    }
    if (v instanceof byte[]) {
      return "bytes" + Arrays.toString((byte[]) v);
    }
    if (v instanceof Number) {
      return Double.toString(((Number) v).doubleValue());
    }
    if (v instanceof JSONObject) {
      return object((JSONObject) v);
    }
    if (v instanceof JSONArray) {
      return list(elements((JSONArray) v));
    }
    if (v instanceof Object[]) {
      return list(Arrays.asList((Object[]) v));
    }
    if (v instanceof List) {
      return list((List<?>) v);
    }
    return v.getClass().getSimpleName() + ":" + v;
  }

  private static String list(List<?> values) {
    StringBuilder out = new StringBuilder("[");
    for (Object value : values) {
      out.append(text(value)).append(' ');
    }
    return out.append(']').toString();
  }

  private static String object(JSONObject o) {
    List<String> fields = new ArrayList<>();
    for (Iterator<?> keys = o.keys(); keys.hasNext(); ) {
      String key = (String) keys.next();
      fields.add(key + "=" + text(o.opt(key)));
    }
    Collections.sort(fields);
    return fields.toString();
  }

  static List<Object> elements(JSONArray a) {
    List<Object> all = new ArrayList<>();
    for (int i = 0; i < a.length(); i++) {
      all.add(a.opt(i));
    }
    return all;
  }

  private Check() {}
}
