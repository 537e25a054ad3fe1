/** The room's door: what others import. Implementations stay behind it. */
export * from './admin.ts';
export * from './consumer.ts';
export {
  KafkaSetupError,
  KafkaUnavailableError,
  NotAMemberError,
  PartitionUnavailableError,
  RecordRefusedError,
  RecordTooLargeError,
} from './errors.ts';
export { createConsumer } from './kafkajs-consumer.ts';
export { createProducer as createKafkajsProducer } from './kafkajs-producer.ts';
export type { Log } from './log.ts';
export * from './packed-headers.ts';
export * from './partition-counts.ts';
export { murmur2, partitionOf } from './partitioner.ts';
export { createProducer } from './platformatic-producer.ts';
export * from './producer.ts';
export * from './range-reader.ts';
export * from './reader.ts';
export * from './topic-log.ts';
export * from './topic-setup.ts';
