// Tells of an outage once at its beginning and once at its end. Used by the readers of statuses and of menus.

import type { Clock } from '../../contracts/clock.ts';

/** An outage is over when no request has failed for this long: some succeed during an outage. */
const RECOVERED_MS = 30_000;

export interface OutageListener {
  /** Called once when requests cannot be answered any more, with the reason. */
  onOutage(error: Error): void;
  onRecovery(): void;
}

/** Gets the outcome of each request, and tells of an outage once, not per request. */
export class ToldOutage {
  readonly #clock: Clock;
  readonly #listener: OutageListener;
  /** When a request last failed during an outage; undefined when there is no outage. */
  #failedAt: number | undefined;

  constructor(clock: Clock, listener: OutageListener) {
    this.#clock = clock;
    this.#listener = listener;
  }

  failed(error: Error): void {
    if (this.#failedAt === undefined) this.#listener.onOutage(error);
    this.#failedAt = this.#clock.now();
  }

  answered(): void {
    if (this.#failedAt === undefined || this.#clock.now() - this.#failedAt <= RECOVERED_MS) return;
    this.#failedAt = undefined;
    this.#listener.onRecovery();
  }
}
