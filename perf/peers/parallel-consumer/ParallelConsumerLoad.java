import io.confluent.parallelconsumer.ParallelConsumerOptions;
import io.confluent.parallelconsumer.ParallelConsumerOptions.CommitMode;
import io.confluent.parallelconsumer.ParallelConsumerOptions.ProcessingOrder;
import io.confluent.parallelconsumer.ParallelStreamProcessor;
import io.confluent.parallelconsumer.PollContext;
import io.confluent.parallelconsumer.reactor.ReactorProcessor;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * Confluent's Parallel Consumer with order per key, as a peer of the actor runtime.
 *
 *   java -cp JARS ParallelConsumerLoad.java BROKERS TOPIC MESSAGES ENGINE CONCURRENCY BATCH WORK_MS
 *
 * ENGINE is `threads` (the work blocks a thread of its pool) or `reactor` (the work is a timer that no thread waits for). WORK_MS is
 * what each record waits for; with 0 nothing is done, the value is not even decoded. Prints one JSON line: messages per second from the first record to the last.
 */
public final class ParallelConsumerLoad {
  private static final AtomicLong startedAt = new AtomicLong();
  private static final AtomicLong finished = new AtomicLong();
  private static final CountDownLatch done = new CountDownLatch(1);
  private static long wanted;
  private static long finishedAt;

  public static void main(String[] args) throws Exception {
    String topic = args[1];
    wanted = Long.parseLong(args[2]);
    Duration work = Duration.ofNanos(Math.round(Double.parseDouble(args[6]) * 1e6));
    var options =
        ParallelConsumerOptions.<byte[], byte[]>builder()
            .consumer(consumer(args[0]))
            .ordering(ProcessingOrder.KEY)
            .commitMode(CommitMode.PERIODIC_CONSUMER_ASYNCHRONOUS)
            .commitInterval(Duration.ofMillis(200))
            .maxConcurrency(Integer.parseInt(args[4]))
            .batchSize(Integer.parseInt(args[5]))
            .build();
    if (args[3].equals("reactor")) {
      var processor = new ReactorProcessor<byte[], byte[]>(options);
      processor.subscribe(List.of(topic));
      processor.react(context -> react(context, work));
    } else {
      var processor = ParallelStreamProcessor.createEosStreamProcessor(options);
      processor.subscribe(List.of(topic));
      processor.poll(context -> block(context, work));
    }
    done.await();
    double seconds = (finishedAt - startedAt.get()) / 1e9;
    System.out.println("{\"messagesPerSecond\":" + Math.round(finished.get() / seconds) + "}");
    // Nothing to drain: closing would only add to the time.
    Runtime.getRuntime().halt(0);
  }

  /** One value in the end: the library takes a value, not the completion, for success. */
  private static Mono<Integer> react(PollContext<byte[], byte[]> context, Duration work) {
    begun();
    int count = (int) context.size();
    Mono<Integer> result = Mono.just(count).doOnNext(ParallelConsumerLoad::finished);
    if (work.isZero()) return result;
    // Every record has a wait of its own, as every message of ours has.
    if (count == 1) return Mono.delay(work).then(result);
    return Flux.range(0, count).flatMap(index -> Mono.delay(work), count).then(result);
  }

  private static void block(PollContext<byte[], byte[]> context, Duration work) {
    begun();
    int count = (int) context.size();
    try {
      if (!work.isZero()) Thread.sleep(work.toMillis());
    } catch (InterruptedException error) {
      Thread.currentThread().interrupt();
    }
    finished(count);
  }

  private static void begun() {
    if (startedAt.get() == 0) startedAt.compareAndSet(0, System.nanoTime());
  }

  private static void finished(int count) {
    if (finished.addAndGet(count) < wanted) return;
    finishedAt = System.nanoTime();
    done.countDown();
  }

  private static KafkaConsumer<byte[], byte[]> consumer(String brokers) {
    return new KafkaConsumer<>(
        Map.of(
            "bootstrap.servers", brokers,
            "group.id", "parallel-consumer-" + ProcessHandle.current().pid() + "-" + System.currentTimeMillis(),
            "auto.offset.reset", "earliest",
            "enable.auto.commit", "false",
            "max.poll.records", "5000",
            "fetch.min.bytes", "1",
            "max.partition.fetch.bytes", "1048576"),
        new ByteArrayDeserializer(),
        new ByteArrayDeserializer());
  }
}
