import type { OutgoingRecord } from './producer.ts';

/** A record between `append` and its answer. */
export interface QueuedRecord {
  readonly record: OutgoingRecord;
  /** Characters and bytes of key, value and headers, and framing: close to its size in the request. */
  readonly bytes: number;
  /** On the clock of `performance.now()`. At this instant the record is answered with an error if it has no answer yet. */
  readonly deadlineAt: number;
  /** Answers the record; calls after the first do nothing. */
  settle(error: Error | null): void;
  /** True once answered, also by its deadline: no caller waits for it any more. */
  readonly settled: boolean;
}

/** What stands between the group-commit queue and a Kafka client. */
export interface ProduceTransport {
  /**
   * Appends the records, per partition in the order given, and settles each one when its own fate is known. One call is
   * in flight at a time. Resolves when nothing of the batch is in flight any more; never rejects. It retries an outage for as long as
   * a record of the batch is unsettled: the deadlines end it.
   */
  send(batch: readonly QueuedRecord[]): Promise<void>;
  /** What the batch that is being sent failed with last; undefined while nothing failed. A record that misses its deadline is answered with it. */
  readonly trouble: Error | undefined;
  close(): Promise<void>;
}
