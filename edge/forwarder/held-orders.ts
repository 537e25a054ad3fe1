// Holds orders back that fail alone. Used by forwarder.ts.

import { exponentialDelayMs } from '../../contracts/backoff.ts';

/** An order is held back after this many failures: a single failure may belong to an outage that is ending. */
const FAILURES = 3;
/** How long it is held back then; twice as long each time. */
const HOLD_MS_FIRST = 30_000;
const HOLD_MS_MAX = 3_600_000;
/** More held orders than this are an outage, not the fault of single orders. */
const HELD_MAX = 100;

interface Held {
  orderId: string;
  until: number;
  failures: number;
  reason: string;
}

/** An order that is held back, for the status. */
export interface HeldOrder {
  orderId: string;
  failures: number;
  reason: string;
}

/**
 * Orders that fail alone while the line is up. A firewall that drops a connection because of the content of one order must not stop all other
 * orders. Such an order stays unsent, and is tried alone from time to time.
 */
export class HeldOrders {
  readonly #held = new Map<number, Held>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Orders that are not sent together with others. */
  except(): number[] {
    return [...this.#held.keys()];
  }

  /** An order whose wait is over: it is tried alone. */
  due(): number | undefined {
    const now = this.#now();
    for (const [sequence, { until }] of this.#held) if (until <= now) return sequence;
    return undefined;
  }

  list(): HeldOrder[] {
    return [...this.#held.values()]
      .filter(({ failures }) => failures >= FAILURES)
      .map(({ orderId, failures, reason }) => ({ orderId, failures, reason }));
  }

  /** This order was alone in its batch, the batch failed, and the line is up. */
  failed(sequence: number, orderId: string, reason: string): void {
    if (this.#held.size >= HELD_MAX && !this.#held.has(sequence)) this.#held.clear();
    const failures = (this.#held.get(sequence)?.failures ?? 0) + 1;
    const holdMs = failures < FAILURES ? 0 : exponentialDelayMs(failures - FAILURES + 1, HOLD_MS_FIRST, HOLD_MS_MAX);
    this.#held.set(sequence, { orderId, until: this.#now() + holdMs, failures, reason });
  }

  has(sequence: number): boolean {
    return this.#held.has(sequence);
  }

  /** The region refuses this order for now, while it takes others. So the order is held back after one failure. */
  hold(sequence: number, orderId: string, reason: string): void {
    const failures = Math.max(FAILURES - 1, this.#held.get(sequence)?.failures ?? 0);
    this.#held.set(sequence, { orderId, until: 0, failures, reason });
    this.failed(sequence, orderId, reason);
  }

  /** The region has answered for these orders, or they are not unsent any more. */
  passed(sequences: readonly number[]): void {
    for (const sequence of sequences) this.#held.delete(sequence);
  }
}
