import type { OutgoingRecord } from './producer.ts';

/** A record between `append` and its answer. */
export interface QueuedRecord {
  readonly record: OutgoingRecord;
  /** Characters and bytes of key, value and headers, and framing: close to the record's size in the request. */
  readonly bytes: number;
  /** On the clock of `performance.now()`. At this instant the record is answered with an error if it has no answer yet. */
  readonly deadlineAt: number;
  /** Answers the record; calls after the first do nothing. */
  settle(error: Error | null): void;
  /** True after the record was answered, also because of its deadline: no caller waits for it any more. */
  readonly settled: boolean;
}

/** The interface between the group-commit queue and a Kafka client. */
export interface ProduceTransport {
  /**
   * Appends the records, per partition in the given order, and settles each record when its result is known. One call is in flight at a
   * time. Resolves when nothing of the batch is in flight any more; never rejects. In an outage it retries as long as a record of the batch
   * is unsettled; the deadlines end that.
   */
  send(batch: readonly QueuedRecord[]): Promise<void>;
  /** The last error of the batch in flight; undefined if there was none. A record that misses its deadline is answered with it. */
  readonly trouble: Error | undefined;
  close(): Promise<void>;
}
