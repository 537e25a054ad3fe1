import type { Clock } from '../contracts/clock.ts';
import { Generations } from './generations.ts';

/** An order that this gateway has seen lately. */
export interface RecentOrder<Waiter> {
  readonly storeId: string;
  readonly fingerprint: string;
  /** When it became durable, in milliseconds since the epoch; 0 while it is on its way. */
  acceptedAt: number;
  /** Repeats of the order that arrived while it was on its way; answered together with it. */
  waiters: Waiter[] | undefined;
}

/**
 * The recent window of idempotency: which order an orderId stands for. It knows only what this process has seen lately; the
 * definitive answer is the order-validator's, so that forgetting here costs a repeated append and nothing else.
 */
export class RecentOrders<Waiter> {
  readonly #orders: Generations<RecentOrder<Waiter>>;
  readonly #clock: Clock;

  constructor(options: { ordersMax: number; ageMs: number; clock: Clock }) {
    this.#orders = new Generations(options.ordersMax, options.ageMs, options.clock.now());
    this.#clock = options.clock;
  }

  get size(): number {
    return this.#orders.size;
  }

  get(orderId: string): RecentOrder<Waiter> | undefined {
    this.#orders.expire(this.#clock.now());
    return this.#orders.get(orderId);
  }

  /** The order is on its way. */
  begin(orderId: string, storeId: string, fingerprint: string): RecentOrder<Waiter> {
    const order: RecentOrder<Waiter> = { storeId, fingerprint, acceptedAt: 0, waiters: undefined };
    this.#orders.set(orderId, order, this.#clock.now());
    return order;
  }

  /** The order is durable. Returns who waited for it. */
  accepted(order: RecentOrder<Waiter>): Waiter[] | undefined {
    order.acceptedAt = this.#clock.now();
    return this.#release(order);
  }

  /** The order did not become durable: the next one with its orderId is a first one again. Returns who waited for it. */
  failed(orderId: string, order: RecentOrder<Waiter>): Waiter[] | undefined {
    // A younger order may have taken the place of one that was forgotten meanwhile.
    if (this.#orders.get(orderId) === order) this.#orders.delete(orderId);
    return this.#release(order);
  }

  #release(order: RecentOrder<Waiter>): Waiter[] | undefined {
    const waiters = order.waiters;
    order.waiters = undefined;
    return waiters;
  }
}
