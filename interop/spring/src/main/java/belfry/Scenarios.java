package belfry;

import java.lang.reflect.Type;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.springframework.messaging.simp.stomp.StompCommand;
import org.springframework.messaging.simp.stomp.StompFrameHandler;
import org.springframework.messaging.simp.stomp.StompHeaders;
import org.springframework.messaging.simp.stomp.StompSession;
import org.springframework.messaging.simp.stomp.StompSessionHandlerAdapter;
import org.springframework.scheduling.concurrent.ThreadPoolTaskScheduler;
import org.springframework.web.socket.WebSocketHttpHeaders;
import org.springframework.web.socket.client.standard.StandardWebSocketClient;
import org.springframework.web.socket.messaging.WebSocketStompClient;

/**
 * Runs Spring's STOMP client against the two nodes whose base URLs it is given; with a
 * token as well, against those of examples/orders. It
 * prints the name of each scenario that has passed and ends with 1 at the first that
 * fails.
 */
public final class Scenarios {
  private static final long PATIENCE = 20;

  private final WebSocketStompClient client;
  private final String urlA;
  private final String urlB;

  private Scenarios(WebSocketStompClient client, String urlA, String urlB) {
    this.client = client;
    this.urlA = urlA.replace("http", "ws") + "/stomp";
    this.urlB = urlB.replace("http", "ws") + "/stomp/websocket";
  }

  interface Scenario {
    void run() throws Exception;
  }

  public static void main(String[] args) {
    ThreadPoolTaskScheduler scheduler = new ThreadPoolTaskScheduler();
    scheduler.initialize();
    WebSocketStompClient client = new WebSocketStompClient(new StandardWebSocketClient());
    client.setTaskScheduler(scheduler); // without it there are neither heart-beats nor receipts
    client.setDefaultHeartbeat(new long[] {1000, 1000});
    client.setMessageConverter(new org.springframework.messaging.converter.SimpleMessageConverter());
    Scenarios all = new Scenarios(client, args[0], args[1]);
    if (args.length > 2) { // nodes of examples/orders, and a token for them
      check("orders", () -> all.orders(args[2]));
      System.exit(0);
    }
    check("two nodes, one room", all::oneRoom);
    check("bytes", all::bytes);
    check("receipts and a user on another node", all::users);
    check("an error names the fault", all::fault);
    check("heart-beats keep a quiet client", all::quiet);
    System.exit(0);
  }

  private static void check(String name, Scenario scenario) {
    try {
      scenario.run();
      System.out.println("passed: " + name);
    } catch (Throwable t) {
      System.out.println("failed: " + name);
      t.printStackTrace(System.out);
      System.exit(1);
    }
  }

  private void oneRoom() throws Exception {
    Connection a = open(urlA, null);
    Connection b = open(urlB, null);
    BlockingQueue<Message> atA = a.subscribe("/topic/spring");
    BlockingQueue<Message> atB = b.subscribe("/topic/spring");
    String text = "\u00e9 line\nline";
    StompHeaders headers = headers("/topic/spring", "text/plain;charset=UTF-8");
    headers.add("event", "a:b");
    a.session.send(headers, text.getBytes(StandardCharsets.UTF_8));
    for (BlockingQueue<Message> queue : Arrays.asList(atA, atB)) {
      Message m = next(queue);
      equal(text, new String(m.body, StandardCharsets.UTF_8));
      equal("a:b", m.headers.getFirst("event"));
      equal("text/plain", m.headers.getContentType().toString());
    }
    a.close();
    b.close();
  }

  private void bytes() throws Exception {
    Connection a = open(urlA, null);
    BlockingQueue<Message> queue = a.subscribe("/topic/bytes");
    byte[] bytes = {0, -1, 10, 13, 58};
    a.session.send(headers("/topic/bytes", "application/octet-stream"), bytes);
    Message m = next(queue);
    if (!Arrays.equals(bytes, m.body)) {
      throw new AssertionError("got " + Arrays.toString(m.body));
    }
    a.close();
  }

  private void users() throws Exception {
    Connection ann = open(urlA, "ann");
    Connection bob = open(urlB, "bob");
    BlockingQueue<Message> queue = ann.subscribe("/user/queue/notes");
    StompHeaders headers = headers("/app/note", "text/plain");
    headers.add("to", "ann");
    bob.receipted(headers, "hello".getBytes(StandardCharsets.UTF_8));
    equal("hello", new String(next(queue).body, StandardCharsets.UTF_8));
    ann.close();
    bob.close();
  }

  private void fault() throws Exception {
    Connection a = open(urlA, null);
    a.session.send(headers("/elsewhere", "text/plain"), new byte[0]);
    String message = a.error.get(PATIENCE, TimeUnit.SECONDS);
    if (!message.contains("destination must be")) {
      throw new AssertionError(message);
    }
  }

  private void quiet() throws Exception {
    Connection a = open(urlA, null);
    Thread.sleep(5000);
    BlockingQueue<Message> queue = a.subscribe("/topic/quiet");
    a.session.send(headers("/topic/quiet", "text/plain"), new byte[] {'x'});
    next(queue);
    a.close();
  }

  private void orders(String token) throws Exception {
    Connection customer = open(urlA, "spring", token);
    Connection watcher = open(urlB, "spring", token);
    BlockingQueue<Message> answers = customer.subscribe("/user/queue/order");
    BlockingQueue<Message> handled = watcher.subscribe("/topic/handled");
    StompHeaders order = headers("/app/order", "application/json");
    order.add("id", "spring-1");
    order.add("correlation-id", "spring-1");
    String body = "{\"customer\":\"spring\",\"item\":\"bell\",\"quantity\":2}";
    customer.receipted(order, body.getBytes(StandardCharsets.UTF_8));
    Message answer = next(answers);
    equal("spring-1", answer.headers.getFirst("correlation-id"));
    contains(answer, "\"total\":");
    contains(next(handled), "bell");
    customer.receipted(headers("/app/test", "text/plain"), "ding".getBytes(StandardCharsets.UTF_8));
    contains(next(handled), "ding");
    customer.close();
    watcher.close();
  }

  private static void contains(Message m, String part) {
    String text = new String(m.body, StandardCharsets.UTF_8);
    if (!text.contains(part)) {
      throw new AssertionError("got " + text + ", want " + part + " in it");
    }
  }

  private Connection open(String url, String login) throws Exception {
    return open(url, login, null);
  }

  private Connection open(String url, String login, String passcode) throws Exception {
    StompHeaders headers = new StompHeaders();
    if (login != null) {
      headers.setLogin(login);
    }
    if (passcode != null) {
      headers.setPasscode(passcode);
    }
    Connection c = new Connection();
    c.session =
        client
            .connectAsync(url, new WebSocketHttpHeaders(), headers, c)
            .get(PATIENCE, TimeUnit.SECONDS);
    c.session.setAutoReceipt(false);
    return c;
  }

  private static StompHeaders headers(String destination, String type) {
    StompHeaders headers = new StompHeaders();
    headers.setDestination(destination);
    headers.set("content-type", type);
    return headers;
  }

  private static Message next(BlockingQueue<Message> queue) throws InterruptedException {
    Message m = queue.poll(PATIENCE, TimeUnit.SECONDS);
    if (m == null) {
      throw new AssertionError("no message");
    }
    return m;
  }

  private static void equal(String want, String got) {
    if (!want.equals(got)) {
      throw new AssertionError("got " + got + ", want " + want);
    }
  }

  private static final class Message {
    final StompHeaders headers;
    final byte[] body;

    Message(StompHeaders headers, byte[] body) {
      this.headers = headers;
      this.body = body;
    }
  }

  /** One session; the handler of its errors. */
  private static final class Connection extends StompSessionHandlerAdapter {
    StompSession session;
    final CompletableFuture<String> error = new CompletableFuture<>();

    @Override
    public Type getPayloadType(StompHeaders headers) {
      return byte[].class;
    }

    @Override
    public void handleFrame(StompHeaders headers, Object payload) {
      error.complete(headers.getFirst("message"));
    }

    @Override
    public void handleException(
        StompSession s, StompCommand command, StompHeaders headers, byte[] payload, Throwable t) {
      t.printStackTrace(System.out);
    }

    BlockingQueue<Message> subscribe(String destination) throws Exception {
      BlockingQueue<Message> queue = new LinkedBlockingQueue<>();
      StompHeaders headers = new StompHeaders();
      headers.setDestination(destination);
      headers.setReceipt("sub-" + System.nanoTime());
      StompSession.Subscription sub =
          session.subscribe(
              headers,
              new StompFrameHandler() {
                @Override
                public Type getPayloadType(StompHeaders h) {
                  return byte[].class;
                }

                @Override
                public void handleFrame(StompHeaders h, Object payload) {
                  queue.add(new Message(h, (byte[]) payload));
                }
              });
      await(sub);
      return queue;
    }

    void receipted(StompHeaders headers, byte[] body) throws Exception {
      headers.setReceipt("send-" + System.nanoTime());
      await(session.send(headers, body));
    }

    private static void await(StompSession.Receiptable r) throws Exception {
      CompletableFuture<Void> done = new CompletableFuture<>();
      r.addReceiptTask(() -> done.complete(null));
      r.addReceiptLostTask(() -> done.completeExceptionally(new AssertionError("receipt lost")));
      done.get(PATIENCE, TimeUnit.SECONDS);
    }

    void close() {
      session.disconnect();
    }
  }
}
