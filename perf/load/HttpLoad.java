import java.io.BufferedOutputStream;
import java.io.DataOutputStream;
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
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.StringJoiner;
import java.util.TreeMap;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * An HTTP load generator. It prints one line of JSON, a LoadResult of http-load.ts. On one thread over NIO, because what a load
 * generator burns is missing on the side that is measured: on Node's sockets a request costs about as much as the whole server side of it.
 *
 * java HttpLoad.java --url http://127.0.0.1:8080/v1/orders --connections 128 --warm-up 1 --seconds 5 --token T < order.json
 *
 * Closed loop, unless there is a --rate: every connection sends its next order as soon as it has the answer to the last. Open loop with
 * --rate N: an order falls due every 1/N seconds whatever the server does, and leaves over the first connection that is free. Its latency
 * counts from when it fell due, so a server that stands still is charged with every order that had to wait for it (the
 * coordinated omission of a closed loop). Orders that are due when the time is over are still sent, for --patience seconds.
 *
 * A connection that gets Retry-After sends nothing for that time. The orderId of the order on standard input is replaced by a new
 * one for every request: 24 characters of the run, a connection and a counter. --accepted FILE gets the last 12 digits of those
 * that were answered 202 at any time, the warm-up included, as 64-bit integers.
 */
final class HttpLoad {
  /** Latencies are counted in buckets of 0.1 ms up to 10 s: exact enough for a percentile, and nothing to sort. */
  private static final int BUCKETS_PER_MS = 10;
  private static final Pattern RETRY_AFTER = Pattern.compile("(?i)\r\nretry-after: *(\\d+)");

  private final int[] buckets = new int[10_000 * BUCKETS_PER_MS + 1];
  private final long[] statuses = new long[1_000];
  private final ByteBuffer received = ByteBuffer.allocateDirect(64 * 1024);
  private final byte[] answer = new byte[64 * 1024];
  /** Connections without a request in flight, and those that were told to wait. */
  private final ArrayDeque<Connection> free = new ArrayDeque<>();
  private final PriorityQueue<Connection> silent = new PriorityQueue<>((a, b) -> Long.compare(a.silentUntil, b.silentUntil));
  private final long startsAt;
  private final long endsAt;
  /** Time between two orders of an open loop; 0 for a closed one. */
  private final double intervalNs;
  private final long firstDueAt;
  private long sent;
  private int inFlight;
  private long maxNs;
  private long[] accepted = new long[1 << 16];
  private int acceptedCount;

  public static void main(String[] arguments) throws IOException {
    Map<String, String> options = new HashMap<>(Map.of("url", "http://127.0.0.1:8080/v1/orders", "connections", "128",
        "seconds", "5", "warm-up", "1", "rate", "0", "patience", "1"));
    for (int at = 0; at + 1 < arguments.length; at += 2) options.put(arguments[at].substring(2), arguments[at + 1]);
    String order = new String(System.in.readAllBytes(), StandardCharsets.UTF_8).strip();
    String prefix = UUID.randomUUID().toString().substring(0, 24);
    URI url = URI.create(options.get("url"));
    Selector selector = Selector.open();
    Connection[] connections = new Connection[Integer.parseInt(options.get("connections"))];
    for (int index = 0; index < connections.length; index++) {
      connections[index] = new Connection(SocketChannel.open(new InetSocketAddress(url.getHost(), url.getPort())),
          url, options.get("token"), order, prefix, index);
      connections[index].channel.register(selector, SelectionKey.OP_READ, connections[index]);
    }
    HttpLoad load = new HttpLoad(connections, Double.parseDouble(options.get("warm-up")),
        Double.parseDouble(options.get("seconds")), Double.parseDouble(options.get("rate")));
    load.run(selector, (long) (Double.parseDouble(options.get("patience")) * 1e9));
    if (options.containsKey("accepted")) load.writeAccepted(Path.of(options.get("accepted")));
    load.print(prefix, Double.parseDouble(options.get("seconds")));
  }

  private HttpLoad(Connection[] connections, double warmUp, double seconds, double rate) {
    free.addAll(Arrays.asList(connections));
    firstDueAt = System.nanoTime();
    startsAt = firstDueAt + (long) (warmUp * 1e9);
    endsAt = startsAt + (long) (seconds * 1e9);
    intervalNs = rate == 0 ? 0 : 1e9 / rate;
  }

  private void run(Selector selector, long patienceNs) throws IOException {
    for (;;) {
      long now = System.nanoTime();
      while (!silent.isEmpty() && silent.peek().silentUntil <= now) free.add(silent.poll());
      boolean isOver = now >= endsAt + patienceNs || dueAt() >= endsAt || (intervalNs == 0 && now >= endsAt);
      while (!isOver && !free.isEmpty() && dueAt() <= now && dueAt() < endsAt) send(free.poll(), now);
      if (isOver && inFlight == 0) return;
      // A wait ends in time for the next order, to the millisecond; an open loop is that much late, never early.
      if (intervalNs == 0 && silent.isEmpty()) selector.select(this::ready, 1_000);
      else selector.select(this::ready, 1);
    }
  }

  /** When the next order falls due: in a closed loop always. */
  private long dueAt() {
    return firstDueAt + (long) (sent * intervalNs);
  }

  private void send(Connection connection, long now) throws IOException {
    long due = dueAt();
    sent++;
    inFlight++;
    connection.send(intervalNs == 0 ? now : due);
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
      inFlight--;
      long now = System.nanoTime();
      int status = (answer[9] - '0') * 100 + (answer[10] - '0') * 10 + answer[11] - '0';
      record(status, connection.dueAt, now);
      if (status == 202) {
        accept(connection.orderNumber());
        // At once, where an order waits for a connection: the server works on it while the next answers are read.
        if (now < endsAt && dueAt() <= now) send(connection, now);
        else free.add(connection);
      } else {
        pause(connection, new String(answer, 0, total, StandardCharsets.ISO_8859_1), now);
      }
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
  }

  /** Throughput counts what was answered in the counted time, latency what fell due in it. */
  private void record(int status, long dueAt, long now) {
    if (now >= startsAt && now < endsAt) statuses[status]++;
    if (dueAt < startsAt || dueAt >= endsAt) return;
    long latency = now - dueAt;
    maxNs = Math.max(maxNs, latency);
    buckets[(int) Math.min(buckets.length - 1, latency * BUCKETS_PER_MS / 1_000_000)]++;
  }

  private void accept(long orderNumber) {
    if (acceptedCount == accepted.length) accepted = Arrays.copyOf(accepted, 2 * acceptedCount);
    accepted[acceptedCount++] = orderNumber;
  }

  private void pause(Connection connection, String head, long now) {
    Matcher retryAfter = RETRY_AFTER.matcher(head);
    if (!retryAfter.find()) {
      free.add(connection);
      return;
    }
    connection.silentUntil = now + Long.parseLong(retryAfter.group(1)) * 1_000_000_000L;
    silent.add(connection);
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

  private void writeAccepted(Path file) throws IOException {
    try (DataOutputStream out = new DataOutputStream(new BufferedOutputStream(Files.newOutputStream(file)))) {
      for (int at = 0; at < acceptedCount; at++) out.writeLong(accepted[at]);
    }
  }

  private void print(String prefix, double seconds) {
    Map<Integer, Long> byStatus = new TreeMap<>();
    for (int status = 0; status < statuses.length; status++) if (statuses[status] > 0) byStatus.put(status, statuses[status]);
    StringJoiner counts = new StringJoiner(",", "{", "}");
    byStatus.forEach((status, count) -> counts.add("\"" + status + "\":" + count));
    long fallenDue = intervalNs == 0 ? sent : (long) ((endsAt - firstDueAt) / intervalNs);
    System.out.printf(
        "{\"acceptedPerSecond\":%d,\"statuses\":%s,\"latencyMs\":{\"p50\":%.1f,\"p99\":%.1f,\"max\":%.0f},\"unsent\":%d,\"orderIdPrefix\":\"%s\"}%n",
        Math.round(statuses[202] / seconds), counts, percentile(0.5), percentile(0.99), maxNs / 1e6, Math.max(0, fallenDue - sent), prefix);
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

  /** One connection and its request, in which only the orderId's counter changes. */
  private static final class Connection {
    final SocketChannel channel;
    final ByteBuffer request;
    final int counterAt;
    final long index;
    int counter;
    /** When the order in flight fell due; in a closed loop, when it was sent. */
    long dueAt;
    long silentUntil;
    /** The first `held` bytes of an answer that came in parts. */
    byte[] part;
    int held;

    Connection(SocketChannel channel, URI url, String token, String order, String prefix, int index) throws IOException {
      this.channel = channel;
      this.index = index;
      channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
      channel.configureBlocking(false);
      String orderId = prefix + String.format("%04x00000000", index);
      String body = order.replaceFirst("\"orderId\":\"[^\"]*\"", "\"orderId\":\"" + orderId + "\"");
      String head = "POST " + url.getPath() + " HTTP/1.1\r\nHost: " + url.getAuthority() + "\r\nContent-Type: application/json\r\nContent-Length: "
          + body.getBytes(StandardCharsets.UTF_8).length + (token == null ? "" : "\r\nAuthorization: Bearer " + token) + "\r\n\r\n";
      byte[] bytes = (head + body).getBytes(StandardCharsets.UTF_8);
      request = ByteBuffer.allocateDirect(bytes.length).put(bytes);
      counterAt = (head + body).indexOf(orderId) + 28;
    }

    /** The last 12 digits of the order in flight. */
    long orderNumber() {
      return index << 32 | counter;
    }

    void send(long dueAt) throws IOException {
      counter++;
      for (int digit = 0; digit < 8; digit++) request.put(counterAt + digit, (byte) Character.forDigit(counter >>> (28 - 4 * digit) & 15, 16));
      request.clear();
      this.dueAt = dueAt;
      channel.write(request);
      if (request.hasRemaining()) throw new IOException("a request did not fit into the socket");
    }
  }
}
