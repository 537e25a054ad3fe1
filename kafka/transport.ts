import type { OutgoingRecord } from './producer.ts';

/** A record in the queue: its bytes are fixed at `append`, so that a caller's later change cannot reach the log. */
export interface QueuedRecord {
  record: OutgoingRecord;
  /** Size in the request, roughly: key, value, headers and framing. */
  bytes: number;
  /** Milliseconds of the monotonic clock after which the record is answered with an error. */
  deadline: number;
  done(error: Error | null): void;
}

/** What stands between the group-commit queue and a Kafka client. One `send` is under way at a time. */
export interface ProduceTransport {
  /** Resolves when every in-sync replica has all the records, appended in the order given per partition. */
  send(batch: readonly QueuedRecord[]): Promise<void>;
  close(): Promise<void>;
}
