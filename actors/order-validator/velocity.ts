// The fraud rules on the number of orders of one customer or one card. Called by the order-validator's actor.

import { hash } from 'node:crypto';
import type { RejectionReason } from '../../contracts/events.ts';
import type { Order } from '../../contracts/order/order.ts';
import { type VelocityCount, velocityKey } from '../../store/index.ts';
import type { ValidatorSettings } from './settings.ts';

/**
 * The counters of one order. Windows are by the order's own time, not by the time of processing, so that a backlog from an edge agent does
 * not look like a burst.
 */
export interface VelocityKeys {
  customer?: string;
  card?: string;
}

/** Gathers what one turn adds to the counters, and then tells each order its place in the count. */
export class VelocityTurn {
  readonly #settings: ValidatorSettings;
  readonly #counts = new Map<string, VelocityCount>();

  constructor(settings: ValidatorSettings) {
    this.#settings = settings;
  }

  /** Counts an order. To be called in the order of the log. */
  add(order: Order, placedAtMs: number): VelocityKeys {
    const { windowSeconds } = this.#settings;
    const windowStart = Math.floor(placedAtMs / 1_000 / windowSeconds) * windowSeconds;
    const keys: VelocityKeys = {};
    if (order.customerId !== undefined) keys.customer = this.#count(windowStart, `customer:${order.customerId}`);
    if (order.payment.token !== undefined) keys.card = this.#count(windowStart, `card:${order.payment.token}`);
    return keys;
  }

  get counts(): VelocityCount[] {
    return [...this.#counts.values()];
  }

  /** No order is refused for a counter that is not above it. */
  get limit(): number {
    return Math.min(this.#settings.customerOrdersMax, this.#settings.cardOrdersMax);
  }

  /**
   * Judges the orders. To be called once for each, in the same order as `add`.
   * @param after the counters above `limit` with this turn added, as `addVelocity` returns them
   */
  judge(after: ReadonlyMap<string, number>): (keys: VelocityKeys) => RejectionReason[] {
    // The counters before the turn; each is raised as the orders of the turn are judged. One that isn't above the limit may as well start
    // at 0: the turn doesn't raise it above either.
    const place = new Map<string, number>();
    for (const [key, { orders }] of this.#counts) place.set(key, (after.get(key) ?? orders) - orders);
    const next = (key: string) => {
      const at = (place.get(key) ?? 0) + 1;
      place.set(key, at);
      return at;
    };
    const { customerOrdersMax, cardOrdersMax, windowSeconds } = this.#settings;
    return ({ customer, card }) => {
      const reasons: RejectionReason[] = [];
      if (customer !== undefined && next(customer) > customerOrdersMax) {
        const detail = `more than ${customerOrdersMax} orders of one customer in ${windowSeconds} s`;
        reasons.push({ code: 'velocity-customer', detail, pointer: '/customerId' });
      }
      if (card !== undefined && next(card) > cardOrdersMax) {
        const detail = `more than ${cardOrdersMax} orders on one card in ${windowSeconds} s`;
        reasons.push({ code: 'velocity-card', detail, pointer: '/payment/token' });
      }
      return reasons;
    };
  }

  #count(windowStart: number, whom: string): string {
    const count = { windowStart, who: whoHash(whom), orders: 1 };
    const key = velocityKey(count);
    const known = this.#counts.get(key);
    if (known === undefined) this.#counts.set(key, count);
    else known.orders++;
    return key;
  }
}

/** 52 bits of SHA-256, which fit a number. Of a million guests two share a counter with a probability of 1 in 10,000. */
function whoHash(whom: string): number {
  return Number.parseInt(hash('sha256', whom, 'hex').slice(0, 13), 16);
}
