// Bounds the orders in flight. Created by server/build.ts; the reception and the transports ask it.

import type { Clock } from '../../contracts/clock.ts';

export interface AdmissionOptions {
  ordersMax: number;
  bytesMax: number;
  /** When the oldest order in flight is older than this, in milliseconds, the bound follows the drain rate. */
  ageMsMax: number;
  clock: Clock;
}

/** The drain rate is measured again after this time, so that it follows the last seconds. */
const WINDOW_MS = 1_000;

const RETRY_AFTER_MAX_S = 30;

/**
 * The bound of the orders in flight in this process: their number, their bytes, and the age of the oldest. At the bound a request is refused
 * at once, so that the requests in flight keep their latency.
 *
 * While the oldest order is too old, the bound is the number of orders that are answered within that age at the measured drain rate (Little's
 * law). So, when the log takes nothing, orders are refused at once; when the log is slow, the queue is as long as the log can work off; and one
 * partition that stands still does not keep orders from the others.
 */
export class Admission {
  orders = 0;
  bytes = 0;
  refused = 0;
  readonly ordersMax: number;
  readonly bytesMax: number;
  readonly #ageMsMax: number;
  readonly #clock: Clock;
  /** Orders that may be in flight now. */
  #ordersBound: number;
  #windowStart: number;
  #drainedInWindow = 0;
  /** Orders answered per second, lately, whatever the answer was. */
  #drainRate = 0;

  constructor({ ordersMax, bytesMax, ageMsMax, clock }: AdmissionOptions) {
    this.ordersMax = ordersMax;
    this.#ordersBound = ordersMax;
    this.bytesMax = bytesMax;
    this.#ageMsMax = ageMsMax;
    this.#clock = clock;
    this.#windowStart = clock.now();
  }

  /** Whether one more order is admitted; if so, `release` must follow with the same size. */
  admit(bytes: number): boolean {
    if (this.orders >= this.#ordersBound || this.bytes + bytes > this.bytesMax) {
      this.refused++;
      return false;
    }
    this.orders++;
    this.bytes += bytes;
    return true;
  }

  release(bytes: number): void {
    this.orders--;
    this.bytes -= bytes;
    this.#drainedInWindow++;
  }

  /** Counts bytes that are not an order yet: a body that is still arriving, or waits for the check of its token. @returns false, without counting, when there is no room */
  hold(bytes: number): boolean {
    if (this.bytes + bytes > this.bytesMax) return false;
    this.bytes += bytes;
    return true;
  }

  unhold(bytes: number): void {
    this.bytes -= bytes;
  }

  /** Counts bytes that are in memory already, and stay for longer than the orders in them. Never refuses. */
  keep(bytes: number): void {
    this.bytes += bytes;
  }

  /** Whether the oldest order is too old, so that the drain rate is the bound. */
  get isSlow(): boolean {
    return this.#ordersBound < this.ordersMax;
  }

  /** Sets the bound by the age of the oldest order in flight, in milliseconds. Called several times a second. */
  pace(oldestAgeMs: number): void {
    this.#measure();
    const drainedWithinAge = Math.floor((this.#drainRate * this.#ageMsMax) / 1_000);
    // At least one order, which finds out that the log takes orders again.
    this.#ordersBound =
      oldestAgeMs > this.#ageMsMax ? Math.min(this.ordersMax, Math.max(1, drainedWithinAge)) : this.ordersMax;
  }

  /** Seconds until half of the orders in flight will be answered at the rate of the last second, from 1 to 30. */
  retryAfterS(): number {
    this.#measure();
    const waitS = this.#drainRate === 0 ? (this.orders === 0 ? 1 : 5) : this.orders / 2 / this.#drainRate;
    return Math.min(RETRY_AFTER_MAX_S, Math.max(1, Math.ceil(waitS)));
  }

  #measure(): void {
    const elapsedMs = this.#clock.now() - this.#windowStart;
    if (elapsedMs < WINDOW_MS) return;
    this.#drainRate = (this.#drainedInWindow * 1_000) / elapsedMs;
    this.#drainedInWindow = 0;
    this.#windowStart += elapsedMs;
  }
}
