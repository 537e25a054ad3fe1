// The producer's queue: gathers records into batches for a transport. Every producer of this room is one.

import { stopwatch } from '../../contracts/clock.ts';
import { limits } from '../../contracts/limits.ts';
import { stage } from '../../telemetry/stages/stage.ts';
import { threadStages } from '../../telemetry/stages/stage-clock.ts';
import { KafkaRefusedError, KafkaUnavailableError, RecordTooLargeError, reasonOf } from '../errors.ts';
import type { CommonHeaders, OutgoingRecord, RecordProducer } from './producer.ts';
import type { ProduceTransport, QueuedRecord } from './transport.ts';

/** Bytes of framing per record and per header, estimated high. */
const RECORD_FRAMING_BYTES = 24;
const HEADER_FRAMING_BYTES = 4;
/** How often deadlines are checked: an answer comes at most this much after its deadline. */
const SWEEP_INTERVAL_MS = 100;
/** A batch of this size is sent at once. */
const RECORDS_ENOUGH = 16;

export interface GroupCommitOptions {
  /** Longest time from append to answer. */
  deadlineMs: number;
  /** Most bytes in one call of the transport; one record is always taken. */
  batchBytesMax: number;
  /**
   * A batch of few records leaves at least this long after the batch before it, because a request costs the broker and this process about
   * the same for one record as for many. 0 by default. (Kafka's `linger.ms` also delays a record after a quiet time; this does not.)
   */
  lingerMs?: number;
}

/**
 * The group-commit queue: while the transport works on one batch, the next batch gathers. It leaves when the transport is free and
 * `lingerMs` has passed since the last batch. After a quiet time the first append waits for the end of its event-loop tick, so that records
 * that arrive together leave together.
 */
export function groupCommit(transport: ProduceTransport, options: GroupCommitOptions): RecordProducer {
  return new GroupCommitProducer(transport, options);
}

class GroupCommitProducer implements RecordProducer {
  readonly unanswered = { records: 0, bytes: 0 };
  readonly #transport: ProduceTransport;
  readonly #options: GroupCommitOptions;
  #queue: Pending[] = [];
  /** The batch that the transport works on. */
  #inFlight: Pending[] = [];
  /** Settled records whose callers have not been called yet. */
  #settledRecords: Pending[] = [];
  #flushing = false;
  /** When the last batch left. */
  #leftAt = Number.NEGATIVE_INFINITY;
  /** Ends the wait of a small batch. */
  #endLinger: (() => void) | undefined;
  #closed: Promise<void> | undefined;
  #sweeper: NodeJS.Timeout | undefined;
  #idle: (() => void)[] = [];

  constructor(transport: ProduceTransport, options: GroupCommitOptions) {
    this.#transport = transport;
    this.#options = options;
  }

  append(record: OutgoingRecord, done: (error: Error | null) => void): void {
    const bytes = sizeOf(record);
    if (this.#closed !== undefined || bytes > limits.producePartitionBytesMax) {
      const reason =
        this.#closed === undefined
          ? new RecordTooLargeError(
              `record of ${bytes} bytes for ${record.topic}; at most ${limits.producePartitionBytesMax}`,
            )
          : new KafkaUnavailableError('the producer is closed');
      queueMicrotask(() => done(reason));
      return;
    }
    this.unanswered.records++;
    this.unanswered.bytes += bytes;
    const deadlineAt = stopwatch.now() + this.#options.deadlineMs;
    this.#queue.push(new Pending(record, bytes, deadlineAt, done, this.#settled));
    if (this.#flushing) {
      if (this.#queue.length >= RECORDS_ENOUGH) this.#endLinger?.();
      return;
    }
    this.#flushing = true;
    this.#sweeper ??= setInterval(() => this.#sweep(), SWEEP_INTERVAL_MS);
    setImmediate(() => this.#flush());
  }

  send(records: OutgoingRecord[]): Promise<void> {
    if (records.length === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      let left = records.length;
      let failure: Error | null = null;
      const done = (error: Error | null) => {
        failure ??= error;
        left--;
        if (left > 0) return;
        if (failure === null) resolve();
        else reject(failure);
      };
      for (const record of records) this.append(record, done);
    });
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#endLinger?.();
    if (this.#flushing) await new Promise<void>((resolve) => this.#idle.push(resolve));
    await this.#transport.close();
  }

  async #flush(): Promise<void> {
    for (;;) {
      const waitMs = this.#lingerMs();
      if (waitMs > 0) await this.#linger(waitMs);
      threadStages.at(stage.produce);
      const batch = this.#take();
      if (batch.length === 0) {
        // A callback may append at once: for example a dead letter without its value, after the whole one was refused.
        this.#answer();
        if (this.#queue.length > 0) continue;
        break;
      }
      this.#leftAt = performance.now();
      this.#inFlight = batch;
      await this.#transport.send(batch);
      // The transport promises to settle every record. If it forgot one, the record must not wait for ever.
      for (const pending of batch)
        if (!pending.settled)
          pending.settle(new KafkaUnavailableError(`no answer for a record of ${pending.record.topic}`));
      this.#inFlight = [];
    }
    this.#flushing = false;
    clearInterval(this.#sweeper);
    this.#sweeper = undefined;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  /**
   * Callbacks run in the next phase of the event loop. Their work (answers to many clients) takes about as long as the broker's work on the
   * next batch, so the next batch leaves first.
   */
  readonly #settled = (pending: Pending): void => {
    this.#settledRecords.push(pending);
    if (this.#settledRecords.length === 1) setImmediate(() => this.#answer());
  };

  #answer(): void {
    const settled = this.#settledRecords;
    if (settled.length === 0) return;
    this.#settledRecords = [];
    // A callback that does more than note the answer puts the thread into a stage of its own.
    const before = threadStages.enter(stage.produce);
    try {
      for (const pending of settled) {
        this.unanswered.records--;
        this.unanswered.bytes -= pending.bytes;
        pending.answer();
      }
    } finally {
      threadStages.leave(before);
    }
  }

  /** How long the next batch must still wait. */
  #lingerMs(): number {
    const { lingerMs = 0 } = this.#options;
    const waiting = this.#queue.length;
    if (lingerMs === 0 || waiting === 0 || waiting >= RECORDS_ENOUGH || this.#closed !== undefined) return 0;
    return this.#leftAt + lingerMs - performance.now();
  }

  #linger(waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.#endLinger = undefined;
        resolve();
      };
      const timer = setTimeout(end, waitMs);
      this.#endLinger = end;
    });
  }

  /** The next batch, without records that have been answered because of their deadline. */
  #take(): Pending[] {
    const queue = this.#queue;
    const batch: Pending[] = [];
    let bytes = 0;
    let taken = 0;
    for (const pending of queue) {
      if (!pending.settled) {
        bytes += pending.bytes;
        if (batch.length > 0 && bytes > this.#options.batchBytesMax) break;
        batch.push(pending);
      }
      taken++;
    }
    this.#queue = taken === queue.length ? [] : queue.slice(taken);
    return batch;
  }

  /** Deadlines ascend in the queue, so the sweep stops at the first record that is not due. */
  #sweep(): void {
    const now = performance.now();
    const { trouble } = this.#transport;
    for (const pending of this.#inFlight) if (!expire(pending, now, trouble)) break;
    let expired = 0;
    for (const pending of this.#queue) {
      if (!expire(pending, now, trouble)) break;
      expired++;
    }
    if (expired > 0) this.#queue = this.#queue.slice(expired);
  }
}

class Pending implements QueuedRecord {
  readonly record: OutgoingRecord;
  readonly bytes: number;
  readonly deadlineAt: number;
  settled = false;
  readonly #done: (error: Error | null) => void;
  readonly #onSettled: (pending: Pending) => void;
  #error: Error | null = null;

  constructor(
    record: OutgoingRecord,
    bytes: number,
    deadlineAt: number,
    done: (error: Error | null) => void,
    onSettled: (pending: Pending) => void,
  ) {
    this.record = record;
    this.bytes = bytes;
    this.deadlineAt = deadlineAt;
    this.#done = done;
    this.#onSettled = onSettled;
  }

  settle(error: Error | null): void {
    if (this.settled) return;
    this.settled = true;
    this.#error = error;
    this.#onSettled(this);
  }

  answer(): void {
    this.#done(this.#error);
  }
}

/**
 * Whether the record's deadline has passed. If so, the record is answered with an error; its cause is the trouble that kept it from being
 * acknowledged.
 */
function expire(pending: Pending, now: number, trouble: Error | undefined): boolean {
  if (pending.deadlineAt > now) return false;
  if (pending.settled) return true;
  const reason = trouble === undefined ? 'no answer' : troubleText(trouble);
  const message = `${pending.record.topic}: not acknowledged within the deadline: ${reason}`;
  const options = trouble === undefined ? {} : { cause: trouble };
  pending.settle(
    trouble instanceof KafkaRefusedError
      ? new KafkaRefusedError(trouble.reason, message, options)
      : new KafkaUnavailableError(message, options),
  );
  return true;
}

function troubleText(trouble: Error): string {
  const inner = reasonOf(trouble);
  return trouble.message.includes(inner) ? trouble.message : `${trouble.message} (${inner})`;
}

function sizeOf({ key, value, headers, commonHeaders }: OutgoingRecord): number {
  let bytes = RECORD_FRAMING_BYTES + key.length;
  // A value may be any text, so its bytes are counted. Keys and headers are short, so their characters are counted.
  if (value !== null) bytes += typeof value === 'string' ? Buffer.byteLength(value) : value.length;
  if (headers !== undefined) bytes += headersSize(headers);
  if (commonHeaders !== undefined) {
    if (commonHeaders !== common.headers) common = commonSize(commonHeaders);
    bytes += common.bytes + common.keys * key.length;
  }
  return bytes;
}

/** The common headers seen last: their size without keys, and how often the key occurs in them. */
let common: { headers: CommonHeaders | undefined; bytes: number; keys: number } = {
  headers: undefined,
  bytes: 0,
  keys: 0,
};

function commonSize(headers: CommonHeaders): typeof common {
  const bytes = headersSize(headers.fixed) + headersSize(headers.afterKey);
  return { headers, bytes, keys: Object.keys(headers.afterKey).length };
}

function headersSize(headers: NonNullable<OutgoingRecord['headers']>): number {
  let bytes = 0;
  for (const name in headers) bytes += HEADER_FRAMING_BYTES + name.length + (headers[name]?.length ?? 0);
  return bytes;
}
