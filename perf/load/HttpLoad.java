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
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.StringJoiner;
import java.util.TreeMap;
import java.util.UUID;

/**
 * A closed-loop HTTP load generator: every connection sends its next order as soon as it has the answer to the last. It prints one line of
 * JSON, a LoadResult of http-load.ts. On one thread over NIO, because what a load generator burns is missing on the side that is
 * measured: on Node's sockets a request costs about as much as the whole server side of it.
 *
 * java HttpLoad.java --url http://127.0.0.1:8080/v1/orders --connections 128 --warm-up 1 --seconds 5 --token T < order.json
 *
 * The orderId of the order on standard input is replaced by a new one for every request.
 */
final class HttpLoad {
  /** Latencies are counted in buckets of 0.1 ms up to 10 s: exact enough for a percentile, and nothing to sort. */
  private static final int BUCKETS_PER_MS = 10;

  private final int[] buckets = new int[10_000 * BUCKETS_PER_MS + 1];
  private final long[] statuses = new long[1_000];
  private final ByteBuffer received = ByteBuffer.allocateDirect(64 * 1024);
  private final byte[] answer = new byte[64 * 1024];
  private long startsAt;
  private long endsAt;
  private long maxNs;
  private int open;

  public static void main(String[] arguments) throws IOException {
    Map<String, String> options = new HashMap<>(
        Map.of("url", "http://127.0.0.1:8080/v1/orders", "connections", "128", "seconds", "5", "warm-up", "1"));
    for (int at = 0; at + 1 < arguments.length; at += 2) options.put(arguments[at].substring(2), arguments[at + 1]);
    String order = new String(System.in.readAllBytes(), StandardCharsets.UTF_8).strip();
    int connections = Integer.parseInt(options.get("connections"));
    new HttpLoad().run(URI.create(options.get("url")), connections,
        Double.parseDouble(options.get("warm-up")), Double.parseDouble(options.get("seconds")), options.get("token"), order);
  }

  private void run(URI url, int connections, double warmUp, double seconds, String token, String order) throws IOException {
    Selector selector = Selector.open();
    for (int index = 0; index < connections; index++) {
      SocketChannel channel = SocketChannel.open(new InetSocketAddress(url.getHost(), url.getPort()));
      channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
      channel.configureBlocking(false);
      channel.register(selector, SelectionKey.OP_READ, new Connection(channel, url, token, order, index));
    }
    open = connections;
    startsAt = System.nanoTime() + (long) (warmUp * 1e9);
    endsAt = startsAt + (long) (seconds * 1e9);
    for (SelectionKey key : selector.keys()) ((Connection) key.attachment()).send(System.nanoTime());
    while (open > 0) selector.select(this::ready, 1_000);
    StringJoiner byStatus = new StringJoiner(",", "{", "}");
    for (int status = 0; status < statuses.length; status++)
      if (statuses[status] > 0) byStatus.add("\"" + status + "\":" + statuses[status]);
    System.out.printf("{\"acceptedPerSecond\":%d,\"statuses\":%s,\"latencyMs\":{\"p50\":%.1f,\"p99\":%.1f,\"max\":%.0f}}%n",
        Math.round(statuses[202] / seconds), byStatus, percentile(0.5), percentile(0.99), maxNs / 1e6);
  }

  private void ready(SelectionKey key) {
    Connection connection = (Connection) key.attachment();
    try {
      received.clear();
      int length = connection.channel.read(received);
      if (length < 0) throw new IOException("the server closed a connection");
      received.flip();
      received.get(answer, connection.held, length);
      if (connection.held > 0) System.arraycopy(connection.part, 0, answer, 0, connection.held);
      int total = connection.held + length;
      if (!whole(answer, total)) {
        connection.part = Arrays.copyOf(answer, total);
        connection.held = total;
        return;
      }
      connection.held = 0;
      long now = System.nanoTime();
      record(answer, connection.sentAt, now);
      if (now < endsAt) {
        connection.send(now);
        return;
      }
      connection.channel.close();
      open--;
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
  }

  private void record(byte[] head, long sentAt, long now) {
    if (now < startsAt || now >= endsAt) return;
    statuses[(head[9] - '0') * 100 + (head[10] - '0') * 10 + head[11] - '0']++;
    long latency = now - sentAt;
    maxNs = Math.max(maxNs, latency);
    buckets[(int) Math.min(buckets.length - 1, latency * BUCKETS_PER_MS / 1_000_000)]++;
  }

  /** Whether an answer is whole: its head, and as many bytes as its Content-Length says. */
  private static boolean whole(byte[] bytes, int length) {
    int contentLength = 0;
    for (int at = 0; at + 3 < length; at++) {
      if (bytes[at] != '\r' || bytes[at + 1] != '\n') continue;
      if (bytes[at + 2] == '\r' && bytes[at + 3] == '\n') return length >= at + 4 + contentLength;
      if ((bytes[at + 2] | 0x20) != 'c' || at + 18 >= length || (bytes[at + 10] | 0x20) != 'l' || bytes[at + 16] != ':') continue;
      int digit = at + 17;
      while (bytes[digit] == ' ') digit++;
      for (contentLength = 0; bytes[digit] >= '0' && bytes[digit] <= '9'; digit++) contentLength = contentLength * 10 + bytes[digit] - '0';
    }
    return false;
  }

  private double percentile(double fraction) {
    long total = 0;
    for (int count : buckets) total += count;
    long seen = 0;
    for (int bucket = 0; bucket < buckets.length; bucket++) {
      seen += buckets[bucket];
      if (buckets[bucket] > 0 && seen >= total * fraction) return (double) (bucket + 1) / BUCKETS_PER_MS;
    }
    return 0;
  }

  /** One connection and its request, in which only the orderId changes: a fixed random part and a counter. */
  private static final class Connection {
    final SocketChannel channel;
    final ByteBuffer request;
    final int counterAt;
    int counter;
    long sentAt;
    /** The first `held` bytes of an answer that came in parts. */
    byte[] part;
    int held;

    Connection(SocketChannel channel, URI url, String token, String order, int index) {
      this.channel = channel;
      String orderId = UUID.randomUUID().toString().substring(0, 24) + String.format("%04x00000000", index);
      String body = order.replaceFirst("\"orderId\":\"[^\"]*\"", "\"orderId\":\"" + orderId + "\"");
      String head = "POST " + url.getPath() + " HTTP/1.1\r\nHost: " + url.getAuthority() + "\r\nContent-Type: application/json\r\nContent-Length: "
          + body.getBytes(StandardCharsets.UTF_8).length + (token == null ? "" : "\r\nAuthorization: Bearer " + token) + "\r\n\r\n";
      byte[] bytes = (head + body).getBytes(StandardCharsets.UTF_8);
      request = ByteBuffer.allocateDirect(bytes.length).put(bytes);
      counterAt = (head + body).indexOf(orderId) + 28;
    }

    void send(long now) throws IOException {
      counter++;
      for (int digit = 0; digit < 8; digit++) request.put(counterAt + digit, (byte) Character.forDigit(counter >>> (28 - 4 * digit) & 15, 16));
      request.clear();
      sentAt = now;
      channel.write(request);
      if (request.hasRemaining()) throw new IOException("a request did not fit into the socket");
    }
  }
}
