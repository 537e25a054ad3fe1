// Writes rows in batches, and repeats failed batches. Used by held-messages.ts, once per table.

import { Backoff } from '../../contracts/backoff.ts';
import { pause } from '../../contracts/deadline.ts';
import { InsertUnavailableError } from './row-insert.ts';
import { RowsLeftError } from './row-isolation.ts';

export interface Weighed {
  bytes: number;
}

export interface RowWriterOptions<T> {
  /** Writes a batch. Rejects with InsertUnavailableError if the batch must be tried again; `RowsLeftError` says which rows of it. */
  write(batch: readonly T[]): Promise<void>;
  rowsMax: number;
  /** BigQuery takes 10 MB per request; JSON framing needs a part of it. */
  bytesMax: number;
  /** Requests in flight at a time. */
  writersMax: number;
  /** A batch that is not full leaves at least this long after the batch before it. */
  gatherMs: number;
  backoffMs: number;
  backoffMsMax: number;
  onFailure(error: Error): void;
  /** Called for the first batch that is written after a failure. */
  onRecovery?(): void;
}

/**
 * Gathers rows into batches, because an insert costs about the same for one row as for hundreds. A batch that can't be written is kept and
 * repeated until it can. The caller of `add` bounds the number of rows.
 */
export class RowWriter<T extends Weighed> {
  readonly #options: RowWriterOptions<T>;
  readonly #stopping = new AbortController();
  readonly #writers = new Set<Promise<void>>();
  #pending: T[] = [];
  #pendingBytes = 0;
  /** When the last batch left. */
  #leftAt = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #problem: string | undefined;
  #failing = 0;

  constructor(options: RowWriterOptions<T>) {
    this.#options = options;
  }

  /** Why no batch gets through now, or `undefined`. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Failures since a batch last got through. */
  get failing(): number {
    return this.#failing;
  }

  add(row: T): void {
    if (this.#stopping.signal.aborted) return;
    this.#pending.push(row);
    this.#pendingBytes += row.bytes;
    this.#schedule();
  }

  /** Drops the waiting rows (their messages are not acknowledged), and waits for the requests in flight. */
  async close(): Promise<void> {
    this.#pending = [];
    clearTimeout(this.#timer);
    this.#stopping.abort();
    await Promise.all(this.#writers);
  }

  #schedule(): void {
    const { rowsMax, bytesMax, writersMax, gatherMs } = this.#options;
    if (this.#pending.length === 0 || this.#writers.size >= writersMax) return;
    if (this.#pending.length >= rowsMax || this.#pendingBytes >= bytesMax) {
      this.#startWriter();
      return;
    }
    const waitMs = Math.max(0, this.#leftAt + gatherMs - performance.now());
    // Waits at least until the end of the event-loop tick, so that rows that arrive together share a request.
    this.#timer ??= setTimeout(() => this.#startWriter(), waitMs);
  }

  #startWriter(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#leftAt = performance.now();
    const writer = this.#writeForSure(this.#take()).finally(() => {
      this.#writers.delete(writer);
      this.#schedule();
    });
    this.#writers.add(writer);
    this.#schedule();
  }

  async #writeForSure(all: readonly T[]): Promise<void> {
    let batch = all;
    const backoff = new Backoff({ firstMs: this.#options.backoffMs, mostMs: this.#options.backoffMsMax });
    for (;;) {
      try {
        await this.#options.write(batch);
        if (this.#problem !== undefined) this.#options.onRecovery?.();
        this.#problem = undefined;
        this.#failing = 0;
        return;
      } catch (error) {
        if (!(error instanceof InsertUnavailableError)) throw error;
        if (error instanceof RowsLeftError) batch = error.left as readonly T[];
        this.#problem = error.message;
        this.#failing++;
        this.#options.onFailure(error);
      }
      await pause(backoff.next(), this.#stopping.signal);
      if (this.#stopping.signal.aborted) return;
      // Queues behind newer rows: a batch of bad rows alone looks like an outage, and would keep all writers busy.
      this.#pending.push(...batch);
      for (const { bytes } of batch) this.#pendingBytes += bytes;
      batch = this.#take();
    }
  }

  #take(): T[] {
    const { rowsMax, bytesMax } = this.#options;
    let bytes = 0;
    let count = 0;
    for (const row of this.#pending) {
      if (count > 0 && (count >= rowsMax || bytes + row.bytes > bytesMax)) break;
      bytes += row.bytes;
      count++;
    }
    this.#pendingBytes -= bytes;
    return this.#pending.splice(0, count);
  }
}
