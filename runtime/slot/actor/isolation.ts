// Lets some steps of an actor run alone. Used by watched-actor.ts for suspects.

import type { Timers } from '../../timers.ts';

/** Longer than any step should take, and short enough that a transaction around a step is still open. */
const WAIT_MS_MAX = 10_000;

interface Waiting {
  alone: boolean;
  begin(): void;
}

/**
 * Runs steps concurrently, except for isolated steps, which run alone, in the order in which they came. A step that never ends delays
 * others by at most 10 s: a step that has waited this long runs beside it.
 */
export class Isolation {
  readonly #timers: Timers;
  readonly #waitMsMax: number;
  readonly #waiting: Waiting[] = [];
  #running = 0;
  #alone = 0;

  constructor(timers: Timers, waitMsMax = WAIT_MS_MAX) {
    this.#timers = timers;
    this.#waitMsMax = waitMsMax;
  }

  async run<T>(alone: boolean, step: () => Promise<T>): Promise<T> {
    await this.#turn(alone);
    try {
      return await step();
    } finally {
      this.#running--;
      if (alone) this.#alone--;
      this.#wake();
    }
  }

  /** Resolves when the step may run; from then on it counts as running. */
  async #turn(alone: boolean): Promise<void> {
    if (this.#waiting.length === 0 && this.#passes(alone)) {
      this.#begins(alone);
      return;
    }
    await new Promise<void>((resolve) => {
      const waiting: Waiting = {
        alone,
        begin: () => {
          stopWaiting();
          this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
          this.#begins(alone);
          resolve();
        },
      };
      this.#waiting.push(waiting);
      const stopWaiting = this.#timers.after(this.#waitMsMax, waiting.begin);
    });
  }

  #begins(alone: boolean): void {
    this.#running++;
    if (alone) this.#alone++;
  }

  #passes(alone: boolean): boolean {
    return alone ? this.#running === 0 : this.#alone === 0;
  }

  #wake(): void {
    for (let next = this.#waiting[0]; next !== undefined && this.#passes(next.alone); next = this.#waiting[0])
      next.begin();
  }
}
