// The same work on bare kafkajs. Started by perf/peers/same-work/peers.ts.

import kafkajs from 'kafkajs';
import { COMMIT_MS, decideValue, workOfArguments } from '../work.ts';
import { packageVersion, Stopwatch } from './stopwatch.ts';

const { Kafka, logLevel, Partitioners } = kafkajs;
const PARTITIONS_AT_A_TIME = 4;

/** One `send` a batch: its decisions are acknowledged by all replicas before the batch counts as done. */
const work = workOfArguments();
const stopwatch = new Stopwatch(work.records, packageVersion('kafkajs'));
const kafka = new Kafka({ clientId: 'same-work-kafkajs', brokers: work.brokers.split(','), logLevel: logLevel.ERROR });
const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner, allowAutoTopicCreation: false });
await producer.connect();
const consumer = kafka.consumer({ groupId: `same-work-kafkajs-${process.pid}-${Date.now()}` });
await consumer.connect();
await consumer.subscribe({ topic: work.from, fromBeginning: true });
await consumer.run({
  autoCommitInterval: COMMIT_MS,
  partitionsConsumedConcurrently: PARTITIONS_AT_A_TIME,
  async eachBatch({ batch, heartbeat }) {
    stopwatch.begin();
    const messages = batch.messages.map(({ key, value }) => ({ key, value: decideValue(value, work.totalLimit) }));
    await producer.send({ topic: work.to, acks: -1, messages });
    stopwatch.acknowledged(messages.length);
    await heartbeat();
  },
});
