// Tries rows alone that failed while others succeeded. Used by held-messages.ts.

import { Backoff } from '../../contracts/backoff.ts';
import { pause } from '../../contracts/deadline.ts';
import { InsertUnavailableError, type RefusedRow } from './row-insert.ts';

/** A suspect is given up after this many failures alone while BigQuery takes other rows, as many as a message has retries. */
const STRIKES_MAX = 3;

export interface SuspectRowsOptions<T> {
  insert(rows: readonly T[]): Promise<RefusedRow[]>;
  /** Whether BigQuery takes a row that it took before; `undefined` if it has not taken any row yet. */
  works(): Promise<boolean | undefined>;
  onLoaded(rows: readonly T[]): void;
  /** The row is given up for this reason. */
  onRefused(row: T, reason: string): void;
  backoffMs: number;
  backoffMsMax: number;
}

/** Rows that failed while BigQuery took others. Each is tried alone, beside the batches, and given up when it keeps failing. */
export class SuspectRows<T> {
  readonly #options: SuspectRowsOptions<T>;
  readonly #stopping = new AbortController();
  readonly #suspects: { row: T; strikes: number; reason: string }[] = [];
  #running: Promise<void> | undefined;

  constructor(options: SuspectRowsOptions<T>) {
    this.#options = options;
  }

  get count(): number {
    return this.#suspects.length;
  }

  /** What waits here and why, or `undefined`. */
  get problem(): string | undefined {
    const [first] = this.#suspects;
    return first === undefined ? undefined : `${this.count} rows are tried alone: ${first.reason}`;
  }

  add(row: T, error: Error): void {
    if (this.#stopping.signal.aborted) return;
    this.#suspects.push({ row, strikes: 0, reason: error.message });
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
  }

  /** Drops the waiting rows (their messages are not acknowledged), and waits for the request in flight. */
  async close(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const backoff = new Backoff({ firstMs: this.#options.backoffMs, mostMs: this.#options.backoffMsMax });
    while (this.#suspects.length > 0) {
      await pause(backoff.next(), this.#stopping.signal);
      for (const suspect of [...this.#suspects]) {
        if (this.#stopping.signal.aborted) return;
        if (await this.#isSettled(suspect)) {
          this.#suspects.splice(this.#suspects.indexOf(suspect), 1);
          backoff.reset();
        }
      }
    }
  }

  async #isSettled(suspect: { row: T; strikes: number; reason: string }): Promise<boolean> {
    const { insert, works, onLoaded, onRefused } = this.#options;
    try {
      const [refused] = await insert([suspect.row]);
      if (refused === undefined) {
        onLoaded([suspect.row]);
        return true;
      }
      suspect.reason = refused.reason;
    } catch (error) {
      if (!(error instanceof InsertUnavailableError)) throw error;
      suspect.reason = error.message;
    }
    // In an outage a failure is no evidence against this row, and neither were the failures before it.
    suspect.strikes = (await works()) === true ? suspect.strikes + 1 : 0;
    if (suspect.strikes < STRIKES_MAX) return false;
    onRefused(suspect.row, `BigQuery stumbles over this row and takes others: ${suspect.reason}`);
    return true;
  }
}
