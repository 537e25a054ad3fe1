import type { RecordHeaders } from '../../contracts/headers.ts';

/** A record on its way into a topic. */
export interface OutgoingRecord {
  topic: string;
  /** Decides the partition (murmur2, as the Java client) unless `partition` is given. */
  key: string | Buffer;
  value: Buffer | string | null;
  /** Own headers as text; headers copied from another record may be bytes. */
  headers?: RecordHeaders | Record<string, string | Buffer>;
  /** Headers that many records have in common; they stand before `headers`. One object for all of these records is encoded once. */
  commonHeaders?: CommonHeaders;
  /** Only for records that must stay on a known partition. */
  partition?: number;
}

export interface CommonHeaders {
  /** The same in every record. */
  fixed: RecordHeaders;
  /** What stands behind the record's key in the value: `{ id: '/placed' }` is `42/placed` in the record of key `42`. */
  afterKey: RecordHeaders;
}

/**
 * A producer with acks=all, idempotent, with group commit: while one produce request is in flight the next batch gathers;
 * when it returns, all of its records are answered. A record that comes after a quiet moment leaves at once, and
 * batches grow with load. Records of one key are appended in the order of the calls.
 *
 * Guarantees, held by `test/kafka/producer-conformance.ts` for every implementation:
 * - `done(null)` / a resolved promise: every in-sync replica has the record.
 * - an error: the record may or may not be in the log (a lost acknowledgement), so the caller repeats it and readers are idempotent.
 * - the producer goes on working after an error, without a restart; nothing it holds grows while the broker is down:
 *   a record that is not acknowledged within `deadlineMs` is answered with `KafkaUnavailableError`.
 */
export interface RecordProducer {
  /** The hot path: no promise per record. `done` is called exactly once. */
  append(record: OutgoingRecord, done: (error: Error | null) => void): void;
  /** Resolves when all records are acknowledged, rejects with the first error. */
  send(records: OutgoingRecord[]): Promise<void>;
  /** Records and bytes appended and not yet answered. */
  readonly unanswered: { records: number; bytes: number };
  /** Answers what is in flight, then disconnects. */
  close(): Promise<void>;
}

export interface ProducerOptions {
  clientId: string;
  brokers: string[];
  /** Longest time from append to answer, in milliseconds. */
  deadlineMs: number;
  /** Shortest time between two small produce requests, in milliseconds (`GroupCommitOptions`); 0 by default. */
  lingerMs?: number;
}
