import type { KafkaCluster } from '../../contracts/config/kafka-cluster.ts';
import type { RecordHeaders } from '../../contracts/headers.ts';

/** A record to be written to a topic. */
export interface OutgoingRecord {
  topic: string;
  /** Decides the partition (murmur2, like the Java client) unless `partition` is given. */
  key: string | Buffer;
  value: Buffer | string | null;
  /** The record's own headers. Text; headers copied from another record may be bytes. */
  headers?: RecordHeaders | Record<string, string | Buffer>;
  /** Headers that many records share; they come before `headers`. One object, used for all of these records, is encoded once. */
  commonHeaders?: CommonHeaders;
  /** Only for records that must be in a known partition. */
  partition?: number;
}

export interface CommonHeaders {
  /** Headers with the same value in every record. */
  fixed: RecordHeaders;
  /** Headers whose value is the record's key and this text: `{ id: '/placed' }` is `42/placed` for the key `42`. */
  afterKey: RecordHeaders;
}

/**
 * A producer with acks=all, idempotent, with group commit: while one produce request is in flight, the next batch gathers. When the request
 * is answered, all its records are answered. A record after a quiet time leaves at once; batches grow with the load. Records of one key are
 * appended in the order of the calls.
 *
 * Guarantees, checked for every implementation by `test/kafka/producer-conformance.ts`:
 * - `done(null)` or a resolved promise: every in-sync replica has the record.
 * - An error: the record may or may not be in the log (the acknowledgement may be lost), so the caller repeats it and readers are
 *   idempotent.
 * - The producer goes on working after an error, without a restart. While the broker is down, nothing it holds grows: a record that is not
 *   acknowledged within `deadlineMs` is answered with `KafkaUnavailableError`.
 */
export interface RecordProducer {
  /** The hot path: no promise per record. `done` is called exactly once. */
  append(record: OutgoingRecord, done: (error: Error | null) => void): void;
  /** Resolves when all records are acknowledged; rejects with the first error. */
  send(records: OutgoingRecord[]): Promise<void>;
  /** Records and bytes that were appended and have no answer yet. */
  readonly unanswered: { records: number; bytes: number };
  /** Waits until all records in flight are answered, then disconnects. */
  close(): Promise<void>;
}

export interface ProducerOptions {
  clientId: string;
  cluster: KafkaCluster;
  /** Longest time from append to answer. */
  deadlineMs: number;
  /** Shortest time between two small produce requests (`GroupCommitOptions`); 0 by default. */
  lingerMs?: number;
}
