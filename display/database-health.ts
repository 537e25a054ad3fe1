// Watches whether the database answers. Created by ticket-board.ts.

export interface DatabaseHealthOptions {
  /** Resolves when the database answers; rejects, within a time limit of its own, when it does not. */
  probe(): Promise<void>;
  /** Time between probes while the database answers, in milliseconds; longer after a slow probe, to limit the load. */
  intervalMs: number;
  onDown(error: Error): void;
  onUp(): void;
}

/** Slow probes run for at most this part of the time. */
const PROBE_SHARE_MAX = 0.05;

/** Knows whether the database answers. Only its own probes count, so a single failed query is not taken for an outage. */
export class DatabaseHealth {
  readonly #options: DatabaseHealthOptions;
  #state: 'up' | 'down' = 'up';
  #timer: NodeJS.Timeout | undefined;
  #probing: Promise<void> | undefined;
  #closed = false;

  constructor(options: DatabaseHealthOptions) {
    this.#options = options;
    this.#schedule(options.intervalMs);
  }

  get state(): 'up' | 'down' {
    return this.#state;
  }

  /** Probes now, after a failed query; callers share a running probe. */
  async check(): Promise<'up' | 'down'> {
    await this.#probe();
    return this.#state;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #schedule(delayMs: number): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => void this.#probe(), delayMs);
  }

  #probe(): Promise<void> {
    clearTimeout(this.#timer);
    this.#probing ??= this.#ask().finally(() => {
      this.#probing = undefined;
    });
    return this.#probing;
  }

  async #ask(): Promise<void> {
    const startedAt = performance.now();
    try {
      await this.#options.probe();
      this.#turn('up');
    } catch (error) {
      this.#turn('down', error as Error);
    }
    const tookMs = performance.now() - startedAt;
    this.#schedule(this.#state === 'down' ? 500 : Math.max(this.#options.intervalMs, tookMs / PROBE_SHARE_MAX));
  }

  #turn(state: 'up' | 'down', reason?: Error): void {
    if (this.#closed || this.#state === state) return;
    this.#state = state;
    if (reason === undefined) this.#options.onUp();
    else this.#options.onDown(reason);
  }
}
