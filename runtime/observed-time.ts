/**
 * A clock for ages and deadlines that ignores jumps. Each `look` adds the time since the previous look, but never less than 0 and never more than two
 * intervals. So neither a system clock that is set forward or back nor a process that stood still makes an age grow by more than that.
 */
export class ObservedTime {
  readonly #everyMs: number;
  #ms = 0;
  #lookedAt: number;

  /**
   * @param everyMs the interval at which `look` is called
   * @param now milliseconds since the epoch, here and in each method
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
