// Waits between small fetches. Used by kafkajs-consumer.ts.

/** After a fetch with this many records or more the next one starts at once, because there is a backlog. */
const RECORDS_ENOUGH = 200;

/**
 * Spaces out fetches that bring few records. Each fetch costs broker and consumer the same however many records it brings, and each
 * hand-over becomes a turn with a transaction and a produce request of its own; at a few hundred records a second that is most of the work.
 * So after a small fetch the next one waits `intervalMs`, and records gather at the broker. A single record after a quiet time is still
 * handed over at once.
 */
export class FetchPace {
  readonly #intervalMs: number;
  #records = 0;
  #waiting: { promise: Promise<void>; end: () => void } | undefined;

  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs;
  }

  /** Called once for each batch of a fetch. The next fetch starts when all of these calls have resolved. */
  wait(records: number): Promise<void> {
    if (this.#intervalMs === 0) return Promise.resolve();
    this.#records += records;
    this.#waiting ??= this.#begin();
    const { promise, end } = this.#waiting;
    if (this.#records >= RECORDS_ENOUGH) end();
    return promise;
  }

  #begin() {
    const { promise, resolve } = Promise.withResolvers<void>();
    const end = () => {
      clearTimeout(timer);
      this.#records = 0;
      this.#waiting = undefined;
      resolve();
    };
    const timer = setTimeout(end, this.#intervalMs);
    return { promise, end };
  }
}
