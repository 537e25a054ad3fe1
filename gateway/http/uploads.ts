// The time limit for request bodies that arrive slowly. Used by exchange.ts.

/** Far more often than the timeout of uWebSockets.js, so that it cuts no connection before our own time limit. */
const SWEEP_MS = 2_000;

/** A request body that is still arriving. */
export interface Upload {
  /** Restarts the timer with which uWebSockets.js cuts the connection. */
  keepOpen(): void;
  /** The time limit has passed: the request is refused. */
  expire(): void;
}

/**
 * Bodies that take longer than one read. uWebSockets.js closes connections that bring less than 16 KB a second, after 30 s and without an
 * answer; a store on a weak line needs longer. Here a body has a time limit of its own, whatever its speed, and is answered with 408 at its end.
 */
export class Uploads {
  readonly #timeoutMs: number;
  readonly #startedAt = new Map<Upload, number>();
  #timer: NodeJS.Timeout | undefined;

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  get timeoutMs(): number {
    return this.#timeoutMs;
  }

  /** Bodies that are still arriving. */
  get size(): number {
    return this.#startedAt.size;
  }

  add(upload: Upload): void {
    if (!this.#startedAt.has(upload)) this.#startedAt.set(upload, performance.now());
    this.#timer ??= setInterval(() => this.#sweep(), Math.min(SWEEP_MS, this.#timeoutMs)).unref();
  }

  delete(upload: Upload): void {
    if (!this.#startedAt.delete(upload) || this.#startedAt.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #sweep(): void {
    const overdue = performance.now() - this.#timeoutMs;
    for (const [upload, startedAt] of this.#startedAt) {
      if (startedAt <= overdue) upload.expire();
      else upload.keepOpen();
    }
  }
}
