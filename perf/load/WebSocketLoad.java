import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/**
 * Loads the gateway's WebSocket in a closed loop: every connection keeps `--unanswered` orders unanswered, and sends one more for each answer. It
 * prints {"acceptedPerSecond":n,"refused":n}. On one thread over NIO, for the reason that HttpLoad.java gives; its frames are
 * masked with zeros, which is a mask like any other to the server.
 *
 * java WebSocketLoad.java --url http://127.0.0.1:8080/v1/stream --connections 4 --unanswered 64 --seconds 5 --token T < order.json
 *
 * With --unanswered 0 it opens the connections, keeps them for --seconds, silent, and prints {"open":n}.
 */
final class WebSocketLoad {
  private static final int TEXT_FRAME = 0x81;
  private static final byte[] ACCEPTED = "\"order.accepted\"".getBytes(StandardCharsets.US_ASCII);
  private static final int COUNTER_DIGITS = 12;

  private final ByteBuffer received = ByteBuffer.allocateDirect(256 * 1024);
  private final ByteBuffer sending = ByteBuffer.allocateDirect(1024 * 1024);
  private final byte[] frame;
  private final int counterAt;
  private long startsAt;
  private long endsAt;
  private long counter;
  private long accepted;
  private long refused;
  private int unanswered;

  public static void main(String[] arguments) throws IOException, InterruptedException {
    Map<String, String> options = new HashMap<>(Map.of("url", "http://127.0.0.1:8080/v1/stream", "connections", "4",
        "unanswered", "64", "seconds", "5", "warm-up", "1"));
    for (int at = 0; at + 1 < arguments.length; at += 2) options.put(arguments[at].substring(2), arguments[at + 1]);
    int unanswered = Integer.parseInt(options.get("unanswered"));
    List<SocketChannel> channels = new ArrayList<>();
    for (int left = Integer.parseInt(options.get("connections")); left > 0; left--)
      channels.add(upgraded(URI.create(options.get("url")), options.get("token")));
    double seconds = Double.parseDouble(options.get("seconds"));
    if (unanswered == 0) {
      Thread.sleep((long) (seconds * 1e3));
      System.out.printf("{\"open\":%d}%n", channels.size());
      return;
    }
    String order = new String(System.in.readAllBytes(), StandardCharsets.UTF_8).strip();
    WebSocketLoad load = new WebSocketLoad(order);
    load.run(channels, unanswered, Double.parseDouble(options.get("warm-up")), seconds);
    System.out.printf("{\"acceptedPerSecond\":%d,\"refused\":%d}%n", Math.round(load.accepted / seconds), load.refused);
  }

  /** A connection after its opening handshake (RFC 6455, section 4.1). */
  private static SocketChannel upgraded(URI url, String token) throws IOException {
    SocketChannel channel = SocketChannel.open(new InetSocketAddress(url.getHost(), url.getPort()));
    channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
    String request = "GET " + url.getPath() + " HTTP/1.1\r\nHost: " + url.getAuthority() + "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: ordermesh.v1.json\r\n"
        + (token == null ? "" : "Authorization: Bearer " + token + "\r\n") + "\r\n";
    channel.write(ByteBuffer.wrap(request.getBytes(StandardCharsets.US_ASCII)));
    ByteBuffer one = ByteBuffer.allocate(1);
    StringBuilder head = new StringBuilder();
    while (head.indexOf("\r\n\r\n") < 0) {
      if (channel.read(one.clear()) < 0) throw new IOException("the server closed a connection: " + head);
      head.append((char) one.get(0));
    }
    if (!head.toString().startsWith("HTTP/1.1 101")) throw new IOException("no upgrade: " + head);
    return channel;
  }

  private WebSocketLoad(String order) {
    String orderId = UUID.randomUUID().toString().substring(0, 24) + "0".repeat(COUNTER_DIGITS);
    String submit = "{\"id\":1,\"type\":\"order.submit\",\"order\":"
        + order.replaceFirst("\"orderId\":\"[^\"]*\"", "\"orderId\":\"" + orderId + "\"") + "}";
    byte[] payload = submit.getBytes(StandardCharsets.UTF_8);
    if (payload.length < 126 || payload.length > 0xffff) throw new IllegalArgumentException("an order of 126 to 65,535 bytes is needed");
    byte[] head = {(byte) TEXT_FRAME, (byte) (0x80 | 126), (byte) (payload.length >> 8), (byte) payload.length, 0, 0, 0, 0};
    frame = ByteBuffer.allocate(head.length + payload.length).put(head).put(payload).array();
    counterAt = head.length + submit.indexOf(orderId) + 24;
  }

  private void run(List<SocketChannel> channels, int ordersEach, double warmUp, double seconds) throws IOException {
    Selector selector = Selector.open();
    startsAt = System.nanoTime() + (long) (warmUp * 1e9);
    endsAt = startsAt + (long) (seconds * 1e9);
    for (SocketChannel channel : channels) {
      channel.configureBlocking(false);
      channel.register(selector, SelectionKey.OP_READ, new Part());
      submit(channel, ordersEach);
    }
    while (unanswered > 0) selector.select(this::ready, 1_000);
  }

  private void submit(SocketChannel channel, int orders) throws IOException {
    sending.clear();
    for (int order = 0; order < orders; order++) {
      long rest = counter++;
      for (int digit = COUNTER_DIGITS - 1; digit >= 0; digit--, rest >>>= 4) frame[counterAt + digit] = (byte) Character.forDigit((int) (rest & 15), 16);
      sending.put(frame);
    }
    sending.flip();
    channel.write(sending);
    if (sending.hasRemaining()) throw new IOException("the frames did not fit into the socket");
    unanswered += orders;
  }

  private void ready(SelectionKey key) {
    SocketChannel channel = (SocketChannel) key.channel();
    Part part = (Part) key.attachment();
    try {
      received.clear();
      received.put(part.bytes);
      if (channel.read(received) < 0) throw new IOException("the server closed a connection");
      received.flip();
      long now = System.nanoTime();
      int answers = 0;
      while (takeAnswer(now)) answers++;
      part.bytes = new byte[received.remaining()];
      received.get(part.bytes);
      unanswered -= answers;
      if (answers > 0 && now < endsAt) submit(channel, answers);
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
  }

  /** Reads one whole frame; false if there is none. A server masks nothing, and an answer is shorter than 64 KiB. */
  private boolean takeAnswer(long now) {
    int at = received.position();
    if (received.remaining() < 4) return false;
    int length = received.get(at + 1) & 0x7f;
    int head = 2;
    if (length == 126) {
      length = received.getShort(at + 2) & 0xffff;
      head = 4;
    }
    if (received.remaining() < head + length) return false;
    boolean isAccepted = contains(at + head, at + head + length);
    received.position(at + head + length);
    if (now < startsAt || now >= endsAt) return true;
    if (isAccepted) accepted++;
    else refused++;
    return true;
  }

  private boolean contains(int from, int to) {
    for (int at = from; at + ACCEPTED.length <= to; at++) {
      int matched = 0;
      while (matched < ACCEPTED.length && received.get(at + matched) == ACCEPTED[matched]) matched++;
      if (matched == ACCEPTED.length) return true;
    }
    return false;
  }

  /** The beginning of a frame whose end has not come yet. */
  private static final class Part {
    byte[] bytes = new byte[0];
  }
}
