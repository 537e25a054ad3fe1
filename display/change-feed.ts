// Brings changed tickets from the notifications of the store to the screens. Created by ticket-board.ts.

import type { TicketView } from './messages.ts';

export interface ChangeFeedOptions {
  /** Reads tickets in their current state. */
  read(orderIds: string[]): Promise<TicketView[]>;
  /** Delivers changes. `waitedMs` is the time since the oldest of their notifications. */
  deliver(tickets: TicketView[], waitedMs: number): void;
  /** Changes were lost (the read failed, or too many gathered): every screen needs a new snapshot. */
  onLost(reason: Error): void;
  /** Shortest time between two deliveries. */
  intervalMs: number;
  /** Most tickets in one read. */
  readMax: number;
  /** Most notified tickets that may wait. */
  waitingMax: number;
}

/**
 * Turns notifications into deliveries. During a read the ids for the next read are collected, each once, so a rush makes larger reads
 * instead of more reads. A single change after a quiet moment is delivered at once.
 */
export class ChangeFeed {
  readonly #options: ChangeFeedOptions;
  readonly #waiting = new Set<string>();
  #oldestAt = 0;
  #running = false;
  #closed = false;

  constructor(options: ChangeFeedOptions) {
    this.#options = options;
  }

  notify(orderIds: readonly string[]): void {
    if (this.#closed) return;
    if (this.#waiting.size === 0) this.#oldestAt = performance.now();
    for (const orderId of orderIds) this.#waiting.add(orderId);
    if (this.#waiting.size > this.#options.waitingMax) {
      this.#waiting.clear();
      this.#options.onLost(new Error(`more than ${this.#options.waitingMax} changed tickets were waiting to be read`));
      return;
    }
    if (!this.#running) void this.#run();
  }

  /** Forgets the waiting changes: every snapshot that is taken from now on has them. */
  clear(): void {
    this.#waiting.clear();
  }

  close(): void {
    this.#closed = true;
    this.#waiting.clear();
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (this.#waiting.size > 0 && !this.#closed) {
      const startedAt = performance.now();
      const oldestAt = this.#oldestAt;
      const orderIds = this.#take();
      // The wait of notifications that come during the read is counted from now.
      this.#oldestAt = this.#waiting.size > 0 ? oldestAt : startedAt;
      try {
        const tickets = await this.#options.read(orderIds);
        if (this.#closed) break;
        if (tickets.length > 0) this.#options.deliver(tickets, performance.now() - oldestAt);
      } catch (error) {
        this.#waiting.clear();
        if (!this.#closed) this.#options.onLost(error as Error);
      }
      const rest = this.#options.intervalMs - (performance.now() - startedAt);
      if (rest > 0) await new Promise((resolve) => setTimeout(resolve, rest));
    }
    this.#running = false;
  }

  #take(): string[] {
    const taken: string[] = [];
    for (const orderId of this.#waiting) {
      if (taken.length >= this.#options.readMax) break;
      taken.push(orderId);
      this.#waiting.delete(orderId);
    }
    return taken;
  }
}
