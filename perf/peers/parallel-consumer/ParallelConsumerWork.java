import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.sun.management.OperatingSystemMXBean;
import io.confluent.parallelconsumer.ParallelConsumerOptions;
import io.confluent.parallelconsumer.ParallelConsumerOptions.CommitMode;
import io.confluent.parallelconsumer.ParallelConsumerOptions.ProcessingOrder;
import io.confluent.parallelconsumer.ParallelStreamProcessor;
import io.confluent.parallelconsumer.PollContext;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * The same work (perf/peers/same-work/) on Confluent's Parallel Consumer with order per key.
 *
 *   java -Dconcurrency=N -Dbatch=N -Dversion=V -cp JARS ParallelConsumerWork.java BROKERS FROM TO RECORDS TOTAL_LIMIT
 *
 * The library sends what the function returns and waits for its acknowledgement. Prints one JSON line.
 */
public final class ParallelConsumerWork {
  private static final ObjectMapper json = new ObjectMapper();
  private static final OperatingSystemMXBean system =
      (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
  private static final AtomicLong acknowledged = new AtomicLong();
  private static final CountDownLatch done = new CountDownLatch(1);
  private static final AtomicLong startedAt = new AtomicLong();
  private static volatile long processorAtStart;

  public static void main(String[] args) throws Exception {
    String to = args[2];
    long records = Long.parseLong(args[3]);
    long totalLimit = Long.parseLong(args[4]);
    var options =
        ParallelConsumerOptions.<byte[], byte[]>builder()
            .consumer(consumer(args[0]))
            .producer(producer(args[0]))
            .ordering(ProcessingOrder.KEY)
            .commitMode(CommitMode.PERIODIC_CONSUMER_ASYNCHRONOUS)
            .commitInterval(Duration.ofMillis(200))
            .maxConcurrency(Integer.getInteger("concurrency"))
            .batchSize(Integer.getInteger("batch"))
            .build();
    var processor = ParallelStreamProcessor.<byte[], byte[]>createEosStreamProcessor(options);
    processor.subscribe(List.of(args[1]));
    processor.pollAndProduceMany(
        context -> decideAll(context, to, totalLimit),
        result -> {
          if (acknowledged.incrementAndGet() == records) done.countDown();
        });
    done.await();
    double seconds = (System.nanoTime() - startedAt.get()) / 1e9;
    double processorSeconds = (system.getProcessCpuTime() - processorAtStart) / 1e9;
    System.out.printf(
        java.util.Locale.ROOT,
        "{\"records\":%d,\"seconds\":%.6f,\"processorSeconds\":%.6f,\"version\":\"%s\"}%n",
        records, seconds, processorSeconds, System.getProperty("version"));
    // Nothing to drain: closing would only add to the time.
    Runtime.getRuntime().halt(0);
  }

  private static List<ProducerRecord<byte[], byte[]>> decideAll(
      PollContext<byte[], byte[]> context, String to, long totalLimit) {
    if (startedAt.get() == 0 && startedAt.compareAndSet(0, System.nanoTime()))
      processorAtStart = system.getProcessCpuTime();
    return context.stream()
        .map(record -> new ProducerRecord<>(to, record.key(), decide(record.value(), totalLimit)))
        .toList();
  }

  private static byte[] decide(byte[] value, long totalLimit) {
    try {
      var event = json.readTree(value);
      var decision = JsonNodeFactory.instance.objectNode();
      for (String name : List.of("orderId", "sequence", "storeId", "total", "currency"))
        decision.set(name, event.get(name));
      decision.put("decision", event.get("total").asLong() < totalLimit ? "accepted" : "rejected");
      return json.writeValueAsBytes(decision);
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
  }

  private static KafkaConsumer<byte[], byte[]> consumer(String brokers) {
    return new KafkaConsumer<>(
        Map.of(
            "bootstrap.servers", brokers,
            "group.id", "same-work-parallel-consumer-" + ProcessHandle.current().pid() + "-" + System.currentTimeMillis(),
            "auto.offset.reset", "earliest",
            "enable.auto.commit", "false",
            "max.poll.records", "5000"),
        new ByteArrayDeserializer(),
        new ByteArrayDeserializer());
  }

  private static KafkaProducer<byte[], byte[]> producer(String brokers) {
    var properties = new HashMap<String, Object>();
    properties.put("bootstrap.servers", brokers);
    properties.put("acks", "all");
    properties.put("linger.ms", 5);
    properties.put("batch.size", 131_072);
    return new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer());
  }
}
