/** Keeps what is sent below a number of bytes a second, counted over the last second or the last batch, whichever is longer. */
export class Bandwidth {
  readonly #bytesPerS: number | undefined;
  readonly #now: () => number;
  #freeAt = 0;

  constructor(bytesPerS: number | undefined, now: () => number) {
    this.#bytesPerS = bytesPerS;
    this.#now = now;
  }

  /** Bytes of orders that one batch may hold: about a second of the line, so that urgent orders do not wait for longer. */
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
