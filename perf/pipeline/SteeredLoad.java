import java.io.BufferedOutputStream;
import java.io.BufferedReader;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
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
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/**
 * An HTTP load generator that never sends more orders than it was allowed to. Started by steered-load.ts, which says how many that are: so the
 * orders on their way through the mesh stay bounded, whatever the gateway would take. On one thread over NIO, for the reason that
 * HttpLoad.java has.
 *
 * java SteeredLoad.java --url URL --connections 64 --orders FILE --accepted FILE
 *
 * Each line of the orders' file is a token, a tab, and an order in which 36 times `@` stand for its id and 16 times `@` for who ordered: both
 * are new for each request, so that no order repeats another one and no guest comes back. Each line on standard input is the number of orders
 * that it may have sent by then. At its end the answers are awaited, --accepted gets the last 12 digits of all accepted ids as 64-bit
 * integers, and one line of JSON is printed.
 */
final class SteeredLoad {
  private static final int ID = 36;
  private static final int GUEST = 16;

  private final Selector selector;
  private final InetSocketAddress address;
  private final ArrayDeque<Connection> free = new ArrayDeque<>();
  private final Request[] requests;
  private final ByteBuffer received = ByteBuffer.allocateDirect(64 * 1024);
  private final String prefix = UUID.randomUUID().toString().substring(0, 24);
  private final DataOutputStream accepted;
  private volatile long allowed;
  private volatile boolean isOver;
  private long sent;
  private int inFlight;
  private long acceptedCount;
  private long refused;

  public static void main(String[] arguments) throws IOException {
    Map<String, String> options = new HashMap<>();
    for (int at = 0; at + 1 < arguments.length; at += 2) options.put(arguments[at].substring(2), arguments[at + 1]);
    try (DataOutputStream accepted = new DataOutputStream(new BufferedOutputStream(Files.newOutputStream(Path.of(options.get("accepted")))))) {
      new SteeredLoad(URI.create(options.get("url")), Integer.parseInt(options.get("connections")),
          Files.readAllLines(Path.of(options.get("orders"))), accepted).run();
    }
  }

  private SteeredLoad(URI url, int connections, List<String> orders, DataOutputStream accepted) throws IOException {
    this.accepted = accepted;
    address = new InetSocketAddress(url.getHost(), url.getPort());
    selector = Selector.open();
    requests = orders.stream().map(line -> new Request(url, line)).toArray(Request[]::new);
    for (int index = 0; index < connections; index++) {
      Connection connection = new Connection();
      open(connection);
      free.add(connection);
    }
  }

  private void open(Connection connection) throws IOException {
    connection.channel = SocketChannel.open(address);
    connection.channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
    connection.channel.configureBlocking(false);
    connection.channel.register(selector, SelectionKey.OP_READ, connection);
  }

  private void run() throws IOException {
    Thread steering = new Thread(this::readLimits, "steering");
    steering.setDaemon(true);
    steering.start();
    while (!isOver || inFlight > 0) {
      while (!isOver && sent < allowed && !free.isEmpty()) send(free.poll());
      selector.select(this::ready, 100);
    }
    System.out.printf("{\"sent\":%d,\"accepted\":%d,\"refused\":%d,\"orderIdPrefix\":\"%s\"}%n", sent, acceptedCount, refused, prefix);
  }

  private void readLimits() {
    try (BufferedReader limits = new BufferedReader(new InputStreamReader(System.in))) {
      for (String line = limits.readLine(); line != null; line = limits.readLine()) {
        allowed = Long.parseLong(line);
        selector.wakeup();
      }
      isOver = true;
      selector.wakeup();
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
  }

  private void send(Connection connection) throws IOException {
    connection.number = ++sent;
    connection.isBusy = true;
    inFlight++;
    try {
      write(connection);
    } catch (IOException closed) {
      reopen(connection);
    }
  }

  private void write(Connection connection) throws IOException {
    ByteBuffer request = requests[(int) (connection.number % requests.length)].numbered(prefix, connection.number);
    connection.channel.write(request);
    if (request.hasRemaining()) throw new UncheckedIOException(new IOException("a request did not fit into the socket"));
  }

  /** The gateway closes a connection that is idle for long. An order without an answer is sent again: its id makes that harmless. */
  private void reopen(Connection connection) throws IOException {
    connection.channel.close();
    open(connection);
    if (connection.isBusy) write(connection);
  }

  private void ready(SelectionKey key) {
    Connection connection = (Connection) key.attachment();
    try {
      int length = read(connection);
      if (length < 0) {
        reopen(connection);
        return;
      }
      // An answer of the gateway is far below the size of a packet, so that it arrives whole.
      if (length < 12) throw new IOException("the gateway answered in parts");
      connection.isBusy = false;
      inFlight--;
      if (received.get(9) == '2' && received.get(11) == '2') {
        acceptedCount++;
        accepted.writeLong(connection.number);
      } else refused++;
      if (!isOver && sent < allowed) send(connection);
      else free.add(connection);
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
  }

  private int read(Connection connection) {
    received.clear();
    try {
      return connection.channel.read(received);
    } catch (IOException reset) {
      return -1;
    }
  }

  private static final class Connection {
    SocketChannel channel;
    long number;
    /** Its order has no answer yet. */
    boolean isBusy;
  }

  /** The bytes of one request, and where its order's id and guest stand. */
  private static final class Request {
    final ByteBuffer bytes;
    final int[] ids;
    final int[] guests;

    Request(URI url, String line) {
      String[] parts = line.split("\t");
      String text = "POST " + url.getPath() + " HTTP/1.1\r\nHost: " + url.getAuthority() + "\r\nContent-Type: application/json\r\nContent-Length: "
          + parts[1].getBytes(StandardCharsets.UTF_8).length + "\r\nAuthorization: Bearer " + parts[0] + "\r\n\r\n" + parts[1];
      byte[] encoded = text.getBytes(StandardCharsets.UTF_8);
      bytes = ByteBuffer.allocateDirect(encoded.length).put(encoded);
      ids = runs(encoded, ID);
      guests = runs(encoded, GUEST);
    }

    /** Where exactly that many `@` stand. */
    static int[] runs(byte[] text, int length) {
      java.util.stream.IntStream.Builder found = java.util.stream.IntStream.builder();
      int start = 0;
      for (int at = 0; at <= text.length; at++) {
        if (at < text.length && text[at] == '@') continue;
        if (at - start == length) found.add(start);
        start = at + 1;
      }
      return found.build().toArray();
    }

    /** Fit to be sent until the next call. */
    ByteBuffer numbered(String prefix, long number) {
      for (int at : ids) {
        for (int digit = 0; digit < 24; digit++) bytes.put(at + digit, (byte) prefix.charAt(digit));
        hexadecimal(at + 24, number);
      }
      for (int at : guests) {
        for (int digit = 0; digit < 4; digit++) bytes.put(at + digit, (byte) prefix.charAt(digit));
        hexadecimal(at + 4, number);
      }
      return bytes.rewind().limit(bytes.capacity());
    }

    private void hexadecimal(int at, long number) {
      for (int digit = 0; digit < 12; digit++) bytes.put(at + digit, (byte) Character.forDigit((int) (number >>> (44 - 4 * digit)) & 15, 16));
    }
  }
}
