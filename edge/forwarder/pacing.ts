/** Waits that double up to a bound, half of each at random: the agents of a chain don't come back as one wave. */
export class Backoff {
  readonly #msMax: number;
  readonly #random: () => number;
  #attempts = 0;

  constructor(msMax: number, random: () => number) {
    this.#msMax = msMax;
    this.#random = random;
  }

  /** Attempts since the last success. */
  get attempts(): number {
    return this.#attempts;
  }

  reset(): void {
    this.#attempts = 0;
  }

  /** Milliseconds to wait before the next attempt; what the region asks for counts up to the bound. */
  next(retryAfterS = 0): number {
    const ceiling = Math.min(this.#msMax, FIRST_MS * 2 ** this.#attempts);
    this.#attempts = Math.min(this.#attempts + 1, 30);
    const wanted = Math.min(this.#msMax, retryAfterS * 1_000);
    return Math.max(wanted, ceiling / 2) + (this.#random() * ceiling) / 2;
  }
}

const FIRST_MS = 250;

/** Keeps what is sent below a number of bytes a second, counted over the last second or the last batch, whichever is longer. */
export class Bandwidth {
  readonly #bytesPerS: number | undefined;
  readonly #now: () => number;
  #freeAt = 0;

  constructor(bytesPerS: number | undefined, now: () => number) {
    this.#bytesPerS = bytesPerS;
    this.#now = now;
  }

  /** Bytes of orders that one batch may hold, so that it takes about a second of the line and urgent orders don't wait behind more. */
  batchBytesMax(bytesMax: number): number {
    return this.#bytesPerS === undefined ? bytesMax : Math.min(bytesMax, Math.max(this.#bytesPerS, 4_096));
  }

  /** Reserves the line for this many bytes. @returns milliseconds to wait before they may be sent */
  take(bytes: number): number {
    if (this.#bytesPerS === undefined) return 0;
    const now = this.#now();
    const startAt = Math.max(now, this.#freeAt);
    this.#freeAt = startAt + (bytes / this.#bytesPerS) * 1_000;
    return startAt - now;
  }
}
