// The same work on bare @platformatic/kafka. Started by perf/peers/same-work/peers.ts.

import { Consumer, type Message, MessagesStreamModes, ProduceAcks, Producer } from '@platformatic/kafka';
import { COMMIT_MS, decideValue, workOfArguments } from '../work.ts';
import { packageVersion, Stopwatch } from './stopwatch.ts';

/** Decisions that wait while one request is in flight; at this many the stream pauses. */
const WAITING_MAX = 20_000;

const work = workOfArguments();
const stopwatch = new Stopwatch(work.records, packageVersion('@platformatic/kafka'));
const clientOptions = { clientId: 'same-work-platformatic', bootstrapBrokers: work.brokers.split(',') };
const producer = new Producer<Buffer, string, Buffer, Buffer>({
  ...clientOptions,
  serializers: { value: (value) => Buffer.from(value ?? '') },
});
const consumer = new Consumer<Buffer, Buffer, Buffer, Buffer>({
  ...clientOptions,
  groupId: `same-work-platformatic-${process.pid}-${Date.now()}`,
  maxBytesPerPartition: 512 * 1_024,
  highWaterMark: WAITING_MAX,
});
const stream = await consumer.consume({
  topics: [work.from],
  autocommit: false,
  mode: MessagesStreamModes.EARLIEST,
  maxWaitTime: 50,
});

let waiting: { topic: string; key: Buffer; value: string }[] = [];
/** The newest message of each partition whose decision waits. */
let newest = new Map<number, Message<Buffer, Buffer, Buffer, Buffer>>();
let sending = false;

stream.on('data', (message) => {
  stopwatch.begin();
  waiting.push({ topic: work.to, key: message.key, value: decideValue(message.value, work.totalLimit) });
  newest.set(message.partition, message);
  if (waiting.length >= WAITING_MAX) stream.pause();
  if (!sending) sendAll();
});

const acknowledged = new Map<number, Message<Buffer, Buffer, Buffer, Buffer>>();
setInterval(() => {
  for (const message of acknowledged.values()) message.commit();
  acknowledged.clear();
}, COMMIT_MS);

/** One request in flight; the next one takes what has gathered meanwhile. */
async function sendAll(): Promise<void> {
  sending = true;
  while (waiting.length > 0) {
    // What one fetch has brought goes out together.
    await new Promise(setImmediate);
    const [messages, positions] = [waiting, newest];
    waiting = [];
    newest = new Map();
    stream.resume();
    await producer.send({ messages, acks: ProduceAcks.ALL });
    for (const [partition, message] of positions) acknowledged.set(partition, message);
    stopwatch.acknowledged(messages.length);
  }
  sending = false;
}
