/** How long the last rebalance took. */
export interface Rebalance {
  /** When work on partitions began again; milliseconds since 1970. */
  at: number;
  /** From giving up the first partition until the new assignment was open; 0 for the first assignment. */
  pauseMs: number;
}

/** Measures the pause of a rebalance: partitions are given up, the group agrees, the new assignment is opened. */
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

  /** Called when partitions are given up. Later calls within the same rebalance don't start the clock again. */
  pause(now: number): void {
    this.#pausedAt ??= now;
  }

  /**
   * Called when work on the new assignment begins.
   * @returns the pause in milliseconds; undefined for the first assignment of the process
   */
  resume(now: number): number | undefined {
    const pauseMs = this.#pausedAt === undefined ? undefined : now - this.#pausedAt;
    this.#pausedAt = undefined;
    this.#count++;
    this.#last = { at: now, pauseMs: pauseMs ?? 0 };
    return pauseMs;
  }
}
