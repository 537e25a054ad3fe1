/**
 * A clock for ages and deadlines that ignores jumps. Each `look` adds the time since the previous `look`, but at least 0 and at most two
 * intervals. So an age doesn't jump when the system clock is set or the process stood still.
 */
export class ObservedTime {
  readonly #everyMs: number;
  #ms = 0;
  #lookedAt: number;

  /**
   * @param everyMs the interval at which `look` is called
   * @param now milliseconds since 1970, here and in each method
   */
  constructor(everyMs: number, now: number) {
    this.#everyMs = everyMs;
    this.#lookedAt = now;
  }

  /** Observed milliseconds since the constructor was called. */
  at(now: number): number {
    return this.#ms + Math.min(Math.max(now - this.#lookedAt, 0), 2 * this.#everyMs);
  }

  look(now: number): void {
    this.#ms = this.at(now);
    this.#lookedAt = now;
  }
}
