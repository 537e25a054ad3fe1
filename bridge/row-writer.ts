import { setTimeout as sleep } from 'node:timers/promises';
import { InsertUnavailableError } from './row-insert.ts';

export interface Weighed {
  bytes: number;
}

export interface RowWriterOptions<T> {
  /** Writes a batch for good. Rejects with InsertUnavailableError when it is to be tried again. */
  write(batch: readonly T[]): Promise<void>;
  rowsMax: number;
  /** BigQuery takes 10 MB in a request; JSON framing needs some of it. */
  bytesMax: number;
  /** Requests under way at once. */
  writersMax: number;
  backoffMs: number;
  backoffMsMax: number;
  onFailure(error: Error): void;
}

/**
 * Gathers rows into batches: while requests are under way the next batch grows, without a timer. A batch that can't be written is
 * held and repeated until it can; what may pile up meanwhile is bounded by whoever calls `add`.
 */
export class RowWriter<T extends Weighed> {
  readonly #options: RowWriterOptions<T>;
  readonly #stopping = new AbortController();
  readonly #writers = new Set<Promise<void>>();
  #pending: T[] = [];
  #problem: string | undefined;

  constructor(options: RowWriterOptions<T>) {
    this.#options = options;
  }

  /** Why nothing gets through at the moment, or `undefined`. */
  get problem(): string | undefined {
    return this.#problem;
  }

  add(row: T): void {
    if (this.#stopping.signal.aborted) return;
    this.#pending.push(row);
    if (this.#writers.size < this.#options.writersMax) this.#startWriter();
  }

  /** Gives up what is waiting, which was never acknowledged, and waits for what is under way. */
  async close(): Promise<void> {
    this.#pending = [];
    this.#stopping.abort();
    await Promise.all(this.#writers);
  }

  #startWriter(): void {
    // The start is put off to the end of the turn, so that rows that arrive together share a request.
    const writer: Promise<void> = new Promise<void>((resolve) => setImmediate(resolve))
      .then(() => this.#drain())
      .finally(() => {
        this.#writers.delete(writer);
        if (this.#pending.length > 0) this.#startWriter();
      });
    this.#writers.add(writer);
  }

  async #drain(): Promise<void> {
    for (let batch = this.#take(); batch.length > 0; batch = this.#take()) await this.#writeForSure(batch);
  }

  async #writeForSure(batch: readonly T[]): Promise<void> {
    const { backoffMs, backoffMsMax } = this.#options;
    for (let delayMs = backoffMs; ; delayMs = Math.min(delayMs * 2, backoffMsMax)) {
      try {
        await this.#options.write(batch);
        this.#problem = undefined;
        return;
      } catch (error) {
        if (!(error instanceof InsertUnavailableError)) throw error;
        this.#problem = error.message;
        this.#options.onFailure(error);
      }
      await sleep(delayMs, undefined, { signal: this.#stopping.signal }).catch(() => {});
      if (this.#stopping.signal.aborted) return;
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
    return this.#pending.splice(0, count);
  }
}
