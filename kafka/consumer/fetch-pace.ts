/** A fetch that brought this many records or more is followed by the next one at once: there is a backlog. */
const RECORDS_ENOUGH = 200;

/**
 * Spaces fetches that bring little. Each fetch costs broker and consumer the same whatever it brings, and each hand-over becomes a turn with a
 * transaction and a produce request of its own; at a few hundred records a second that is most of the work. After such a fetch the
 * next one waits `intervalMs`, so that records gather at the broker. A record that comes alone is still handed over at once.
 */
export class FetchPace {
  readonly #intervalMs: number;
  #records = 0;
  #waiting: { promise: Promise<void>; end: () => void } | undefined;

  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs;
  }

  /** Called once for each batch of a fetch; the next fetch starts when all of these have resolved. */
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
