export interface DatabaseHealthOptions {
  /** Answers when the database does. */
  probe(): Promise<void>;
  /** Time between probes while all is well, in milliseconds; a slow probe makes it longer, so that it never costs much. */
  intervalMs: number;
  /** A probe without an answer by then has failed. */
  deadlineMs: number;
  onDown(error: Error): void;
  onUp(): void;
}

/** A probe that takes a while runs at most this part of the time. */
const PROBE_SHARE_MAX = 0.05;

/** Knows whether the database answers: by its own probes, and told by whoever saw a failure. */
export class DatabaseHealth {
  readonly #options: DatabaseHealthOptions;
  #state: 'up' | 'down' = 'up';
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: DatabaseHealthOptions) {
    this.#options = options;
    this.#schedule(options.intervalMs);
  }

  get state(): 'up' | 'down' {
    return this.#state;
  }

  failed(error: Error): void {
    if (this.#closed || this.#state === 'down') return;
    this.#state = 'down';
    this.#options.onDown(error);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #schedule(delayMs: number): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => void this.#probe(), delayMs);
  }

  async #probe(): Promise<void> {
    const startedAt = performance.now();
    try {
      await withDeadline(this.#options.probe(), this.#options.deadlineMs);
      if (this.#state === 'down' && !this.#closed) {
        this.#state = 'up';
        this.#options.onUp();
      }
    } catch (error) {
      this.failed(error as Error);
    }
    const tookMs = performance.now() - startedAt;
    this.#schedule(this.#state === 'down' ? 500 : Math.max(this.#options.intervalMs, tookMs / PROBE_SHARE_MAX));
  }
}

/** @throws when the promise has not settled by the deadline; its own later outcome is ignored then. */
export async function withDeadline<T>(promise: Promise<T>, deadlineMs: number): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`the database has not answered for ${deadlineMs} ms`)), deadlineMs);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
