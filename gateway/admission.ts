import type { Clock } from '../contracts/clock.ts';

export interface AdmissionOptions {
  ordersMax: number;
  bytesMax: number;
  clock: Clock;
}

/** The drain rate is measured anew after this time, so that it follows the last seconds. */
const WINDOW_MS = 1_000;

const RETRY_AFTER_MAX_S = 30;

/**
 * The bound of what is under way in this process, in orders and bytes. At the bound a request is refused at once, so the requests
 * under way keep their latency.
 */
export class Admission {
  orders = 0;
  bytes = 0;
  refused = 0;
  readonly ordersMax: number;
  readonly bytesMax: number;
  readonly #clock: Clock;
  #windowStart: number;
  #drainedInWindow = 0;
  /** Orders per second that left lately, whatever their answer was. */
  #drainRate = 0;

  constructor({ ordersMax, bytesMax, clock }: AdmissionOptions) {
    this.ordersMax = ordersMax;
    this.bytesMax = bytesMax;
    this.#clock = clock;
    this.#windowStart = clock.now();
  }

  /** Whether one more order may come in; if so, `release` must follow with the same size. */
  admit(bytes: number): boolean {
    if (this.orders >= this.ordersMax || this.bytes + bytes > this.bytesMax) {
      this.refused += 1;
      return false;
    }
    this.orders += 1;
    this.bytes += bytes;
    return true;
  }

  release(bytes: number): void {
    this.orders -= 1;
    this.bytes -= bytes;
    this.#drainedInWindow += 1;
  }

  /** Counts bytes of a body that is still arriving; false, and nothing is counted, if there is no room. */
  hold(bytes: number): boolean {
    if (this.bytes + bytes > this.bytesMax) return false;
    this.bytes += bytes;
    return true;
  }

  unhold(bytes: number): void {
    this.bytes -= bytes;
  }

  /** Seconds until half of what is under way will have left at the rate of the last second, from 1 to 30. */
  retryAfterS(): number {
    const elapsedMs = this.#clock.now() - this.#windowStart;
    if (elapsedMs >= WINDOW_MS) {
      this.#drainRate = (this.#drainedInWindow * 1_000) / elapsedMs;
      this.#drainedInWindow = 0;
      this.#windowStart += elapsedMs;
    }
    const waitS = this.#drainRate === 0 ? (this.orders === 0 ? 1 : 5) : this.orders / 2 / this.#drainRate;
    return Math.min(RETRY_AFTER_MAX_S, Math.max(1, Math.ceil(waitS)));
  }
}
