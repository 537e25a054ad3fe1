/**
 * Time that was seen to pass, for ages and deadlines: a look every so often counts what passed since the one before. A clock that is put forward
 * or back, and a process that stood still, count for two looks at most: they prove nothing of what is waited for.
 */
export class ObservedTime {
  readonly #everyMs: number;
  #ms = 0;
  #lookedAt: number;

  /** @param now milliseconds since the epoch, as in every call */
  constructor(everyMs: number, now: number) {
    this.#everyMs = everyMs;
    this.#lookedAt = now;
  }

  /** Milliseconds since it was made. */
  at(now: number): number {
    return this.#ms + Math.min(Math.max(now - this.#lookedAt, 0), 2 * this.#everyMs);
  }

  look(now: number): void {
    this.#ms = this.at(now);
    this.#lookedAt = now;
  }
}
