// The same work without any guarantee, as the ceiling of the runtime. Started by perf/peers/same-work/peers.ts.

import kafkajs from 'kafkajs';
import { Piscina } from 'piscina';
import { pack } from '../../../limits/packed-batch.ts';
import { COMMIT_MS, workOfArguments } from '../work.ts';
import { Stopwatch } from './stopwatch.ts';

const { Kafka, logLevel } = kafkajs;
const THREADS = 2;
const PARTITIONS_AT_A_TIME = 24;

/** kafkajs hands each batch, packed into one transferred buffer, to the thread of its partition, which parses, decides and produces. */
const work = workOfArguments();
const threads = Array.from(
  { length: THREADS },
  () =>
    new Piscina({
      filename: new URL('./bare-loop-thread.ts', import.meta.url).href,
      minThreads: 1,
      maxThreads: 1,
      concurrentTasksPerWorker: PARTITIONS_AT_A_TIME,
      workerData: work,
    }),
);
await Promise.all(threads.map((thread) => thread.run(null)));

const stopwatch = new Stopwatch(work.records, process.version);
const kafka = new Kafka({ clientId: 'bare-loop', brokers: work.brokers.split(','), logLevel: logLevel.NOTHING });
const consumer = kafka.consumer({
  groupId: `bare-loop-${process.pid}-${Date.now()}`,
  maxBytesPerPartition: 512 * 1_024,
});
await consumer.connect();
await consumer.subscribe({ topic: work.from, fromBeginning: true });
await consumer.run({
  autoCommitInterval: COMMIT_MS,
  partitionsConsumedConcurrently: PARTITIONS_AT_A_TIME,
  async eachBatch({ batch, heartbeat }) {
    stopwatch.begin();
    const buffer = pack(batch.messages);
    await threads[batch.partition % THREADS]?.run(buffer, { transferList: [buffer] });
    stopwatch.acknowledged(batch.messages.length);
    await heartbeat();
  },
});
