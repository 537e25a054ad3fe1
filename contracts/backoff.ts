// Back-off: how long a caller waits before its next attempt. Used in most rooms, for connections, requests and restarts.

/** `first`, doubled with each further attempt (the first attempt is 1), up to `most`. */
export function exponentialDelayMs(attempt: number, firstMs: number, mostMs: number): number {
  return Math.min(mostMs, firstMs * 2 ** Math.min(attempt - 1, 40));
}

export interface BackoffOptions {
  firstMs: number;
  mostMs: number;
  /** Share of each wait that is random, from 0 to 1, so that many clients do not come back as one wave. */
  jitter?: number;
  /** From 0 to 1. */
  random?: () => number;
}

/** The back-off of one caller: counts the attempts since the last success, and says how long to wait before the next one. */
export class Backoff {
  readonly #options: Required<BackoffOptions>;
  #attempts = 0;

  constructor(options: BackoffOptions) {
    this.#options = { jitter: 0, random: Math.random, ...options };
  }

  /** Attempts since the last success. */
  get attempts(): number {
    return this.#attempts;
  }

  reset(): void {
    this.#attempts = 0;
  }

  /** Milliseconds to wait before the next attempt. What a server asks for (`leastMs`) counts up to the longest wait. */
  next(leastMs = 0): number {
    const { firstMs, mostMs, jitter, random } = this.#options;
    this.#attempts++;
    const ceilingMs = exponentialDelayMs(this.#attempts, firstMs, mostMs);
    return Math.max(Math.min(mostMs, leastMs), ceilingMs * (1 - jitter)) + random() * ceilingMs * jitter;
  }
}
