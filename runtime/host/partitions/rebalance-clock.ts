/** What the last rebalance took. */
export interface Rebalance {
  /** Milliseconds since the epoch, when partitions were being worked on again. */
  at: number;
  /** From the first partition given up until the new assignment was open; 0 for the first assignment. */
  pauseMs: number;
}

/** Measures the pauses of a rebalance: partitions are given up, the group agrees, the new assignment is opened. */
export class RebalanceClock {
  #pausedAt: number | undefined;
  #last: Rebalance | undefined;
  #count = 0;

  get last(): Rebalance | undefined {
    return this.#last;
  }

  get count(): number {
    return this.#count;
  }

  /** Partitions are given up. Those given up later in the same rebalance don't begin it again. */
  pause(now: number): void {
    this.#pausedAt ??= now;
  }

  /** The new assignment is being worked on. @returns the pause in milliseconds; undefined for the first assignment, which ended none */
  resume(now: number): number | undefined {
    const pauseMs = this.#pausedAt === undefined ? undefined : now - this.#pausedAt;
    this.#pausedAt = undefined;
    this.#count++;
    this.#last = { at: now, pauseMs: pauseMs ?? 0 };
    return pauseMs;
  }
}
