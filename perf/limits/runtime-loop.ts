import { Kafka, logLevel } from 'kafkajs';
import { Piscina } from 'piscina';
import { pack } from './packed-batch.ts';

/**
 * The ceiling of the actor runtime: kafkajs hands each batch, packed into one transferred buffer, to the thread of its partition, which
 * parses the values. No order per key, no retries, no frontier, no commits.
 *
 *   KAFKA_BROKERS=… node perf/limits/runtime-loop.ts TOPIC MESSAGES [THREADS]
 *
 * Prints one JSON line: messages per second from the first batch to the last.
 */
const [topic, wanted, threads = '2'] = process.argv.slice(2);
if (topic === undefined || wanted === undefined) throw new Error('usage: runtime-loop.ts TOPIC MESSAGES [THREADS]');
const messagesWanted = Number(wanted);

const pools = Array.from(
  { length: Number(threads) },
  () =>
    new Piscina({
      filename: new URL('./runtime-loop-thread.ts', import.meta.url).href,
      minThreads: 1,
      maxThreads: 1,
      concurrentTasksPerWorker: 8,
    }),
);
await Promise.all(pools.map((pool) => pool.run(null)));

const kafka = new Kafka({
  clientId: 'runtime-loop',
  brokers: (process.env.KAFKA_BROKERS ?? '').split(','),
  logLevel: logLevel.NOTHING,
});
const consumer = kafka.consumer({
  groupId: `runtime-loop-${process.pid}-${Date.now()}`,
  maxBytesPerPartition: 512 * 1024,
});
await consumer.connect();
await consumer.subscribe({ topic, fromBeginning: true });

let startedAt: number | undefined;
let messages = 0;
const finished = Promise.withResolvers<void>();
await consumer.run({
  autoCommit: false,
  eachBatchAutoResolve: false,
  partitionsConsumedConcurrently: 12,
  async eachBatch({ batch, resolveOffset, heartbeat }) {
    startedAt ??= performance.now();
    const buffer = pack(batch.messages);
    await pools[batch.partition % pools.length]?.run(buffer, { transferList: [buffer] });
    resolveOffset(batch.lastOffset());
    await heartbeat();
    messages += batch.messages.length;
    if (messages >= messagesWanted) finished.resolve();
  },
});
await finished.promise;
const seconds = (performance.now() - (startedAt ?? 0)) / 1_000;
console.log(JSON.stringify({ messagesPerSecond: Math.round(messages / seconds) }));
process.exit();
