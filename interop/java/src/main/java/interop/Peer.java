package interop;

import io.socket.client.Ack;
import io.socket.client.Socket;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** One socket of a client, with queues of what arrived. */
final class Peer {
  final Socket socket;
  private final Map<String, BlockingQueue<Object[]>> inbox = new ConcurrentHashMap<>();

  Peer(Socket socket) {
    this.socket = socket;
    listen(Socket.EVENT_CONNECT);
    listen(Socket.EVENT_CONNECT_ERROR);
    listen(Socket.EVENT_DISCONNECT);
  }

  void connect() throws Exception {
    socket.connect();
    Run.until(
        "connected",
        () -> {
          Object[] refused = inbox.get(Socket.EVENT_CONNECT_ERROR).poll();
          if (refused != null) {
            throw new AssertionError("refused: " + Arrays.toString(refused));
          }
          return inbox.get(Socket.EVENT_CONNECT).poll(20, TimeUnit.MILLISECONDS);
        });
  }

  String id() {
    return socket.id();
  }

  /** Collects the arguments of an event from now on. */
  Peer listen(String event) {
    BlockingQueue<Object[]> arrived = new LinkedBlockingQueue<>();
    inbox.put(event, arrived);
    socket.on(event, arrived::add);
    return this;
  }

  /** Returns the arguments of the next event that listen collects. */
  Object[] next(String event) throws InterruptedException {
    Object[] args = inbox.get(event).poll(Run.PATIENCE, TimeUnit.SECONDS);
    if (args == null) {
      throw new AssertionError("event " + event + ": not within " + Run.PATIENCE + " s");
    }
    return args;
  }

  /** Returns the first arguments of the next n events. */
  List<Object> next(String event, int n) throws InterruptedException {
    List<Object> all = new ArrayList<>();
    while (all.size() < n) {
      all.add(next(event)[0]);
    }
    return all;
  }

  /** Returns the first arguments of all that has been collected. */
  List<Object> heard(String event) {
    List<Object[]> all = new ArrayList<>();
    inbox.get(event).drainTo(all);
    List<Object> first = new ArrayList<>();
    all.forEach(args -> first.add(args[0]));
    return first;
  }

  void emit(String event, Object... args) {
    socket.emit(event, args);
  }

  /** Emits and returns the arguments of the acknowledgement. */
  Object[] asks(String event, Object... args) throws InterruptedException {
    BlockingQueue<Object[]> back = new LinkedBlockingQueue<>();
    socket.emit(event, args, (Ack) back::add);
    Object[] answer = back.poll(Run.PATIENCE, TimeUnit.SECONDS);
    if (answer == null) {
      throw new AssertionError("ack of " + event + ": not within " + Run.PATIENCE + " s");
    }
    return answer;
  }

  Object ask(String event, Object... args) throws InterruptedException {
    Object[] answer = asks(event, args);
    return answer.length == 0 ? null : answer[0];
  }
}
