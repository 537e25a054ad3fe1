/** The room's door: what others import. Implementations stay behind it. */
export * from './admin/access.ts';
export * from './admin/admin.ts';
export * from './admin/partition-counts.ts';
export { createRegionAdmin, type RegionAdmin } from './admin/region-admin.ts';
export * from './admin/topic-setup.ts';
export * from './admin/with-admin.ts';
export * from './consumer/consumer.ts';
export { createConsumer } from './consumer/kafkajs-consumer.ts';
export * from './consumer/packed-headers.ts';
export {
  KafkaRefusedError,
  KafkaSetupError,
  KafkaUnavailableError,
  NotAMemberError,
  PartitionUnavailableError,
  RecordRefusedError,
  RecordTooLargeError,
  type RefusalReason,
  reasonOf,
} from './errors.ts';
export { createProducer as createKafkajsProducer } from './kafkajs/kafkajs-producer.ts';
export type { Log } from './log.ts';
export { murmur2, partitionOf } from './producer/partitioner.ts';
export { createProducer } from './producer/platformatic-producer.ts';
export * from './producer/producer.ts';
export * from './reader/range-reader.ts';
export * from './reader/reader.ts';
export * from './reader/topic-log.ts';
export { registerRefusals } from './security/refusals.ts';
