// Remembers recent orders, so that repeats are recognized. Created by server/build.ts; the reception asks it.

import type { Clock } from '../../contracts/clock.ts';
import { AcceptedOrders } from './accepted-orders.ts';
import type { OrderKey } from './order-key.ts';
import { type Linked, OrdersInFlight } from './orders-in-flight.ts';

/** An order that this gateway has seen lately. */
export interface RecentOrder<Waiter> {
  readonly storeId: string;
  /** `ContentHash` of the order. */
  readonly content: number;
  /** When it became durable, in milliseconds since 1970; 0 while it is in flight. */
  readonly acceptedAt: number;
  /** Repeats of the order that arrived while it was in flight; answered together with it. */
  waiters?: Waiter[] | undefined;
}

/** An order in flight: handed to the intake, and not answered. */
export interface OrderInFlight<Waiter> extends RecentOrder<Waiter>, Linked {
  /** The tick at which it began. */
  readonly begunAt: number;
}

/** The age of orders in flight is counted in ticks: a small integer, where the time of day would be a heap number per order. */
const TICK_MS = 100;

/**
 * The recent window of idempotency: the content that each orderId was sent with. The admission bounds the orders in flight. Accepted orders are
 * kept in two generations; the older is forgotten when the younger is full or old enough. So an accepted order is remembered for at least
 * `ordersMax / 2` further orders (or `ageMs / 2`), and for no longer than `ordersMax` orders (or `ageMs`).
 *
 * It knows only orders that this process has seen lately. The order-validator has the definitive answer, so a forgotten order costs only a
 * repeated append.
 */
export class RecentOrders<Waiter> {
  readonly #inFlight = new OrdersInFlight<OrderInFlight<Waiter>>();
  #ticks = 0;
  #forgottenAt = -1;
  #young: AcceptedOrders;
  #old: AcceptedOrders;
  #youngSince: number;
  readonly #generationMs: number;
  readonly #clock: Clock;

  constructor({ ordersMax, ageMs, clock }: { ordersMax: number; ageMs: number; clock: Clock }) {
    this.#young = new AcceptedOrders(Math.floor(ordersMax / 2));
    this.#old = new AcceptedOrders(Math.floor(ordersMax / 2));
    this.#generationMs = ageMs / 2;
    this.#clock = clock;
    this.#youngSince = clock.now();
  }

  /** Accepted orders that are remembered. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }

  get(key: OrderKey): RecentOrder<Waiter> | undefined {
    const inFlight = this.#inFlight.get(key);
    if (inFlight !== undefined) return inFlight;
    this.#expire();
    return this.#young.get(key) ?? this.#old.get(key);
  }

  /** The order is in flight from now on; `accepted` or `failed` must follow. */
  begin(key: OrderKey, storeId: string, content: number): OrderInFlight<Waiter> {
    const order: OrderInFlight<Waiter> = {
      key,
      storeId,
      content,
      acceptedAt: 0,
      begunAt: this.#ticks,
      waiters: undefined,
      next: undefined,
      older: undefined,
      younger: undefined,
    };
    this.#inFlight.add(order);
    return order;
  }

  /** Calls back ten times a second with the age of the oldest order in flight, in milliseconds; 0 if there is none. @returns a function that ends the calls */
  watchOldest(tell: (ageMs: number) => void): () => void {
    const timer = setInterval(() => {
      this.#ticks++;
      tell(this.oldestAgeMs());
    }, TICK_MS).unref();
    return () => clearInterval(timer);
  }

  oldestAgeMs(): number {
    const { oldest } = this.#inFlight;
    return oldest === undefined ? 0 : (this.#ticks - oldest.begunAt) * TICK_MS;
  }

  /** The order is durable. */
  accepted(order: OrderInFlight<Waiter>): void {
    this.#inFlight.delete(order);
    // The order may have become durable in the log that was lost.
    if (order.begunAt <= this.#forgottenAt) return;
    this.#expire();
    if (this.#young.isFull) this.#turn();
    this.#young.set(order.key, order.storeId, order.content, this.#clock.now());
  }

  /** The order did not become durable: the next order with its orderId counts as a first one. */
  failed(order: OrderInFlight<Waiter>): void {
    this.#inFlight.delete(order);
  }

  /** Forgets the accepted orders, because the log may have lost them. A repeat of one of them is then appended like a first order. */
  forget(): void {
    this.#young.clear();
    this.#old.clear();
    this.#forgottenAt = this.#ticks;
  }

  #expire(): void {
    const age = this.#clock.now() - this.#youngSince;
    // A negative age means that the clock was put back. Remembered orders must not live longer because of that.
    if (age >= 0 && age < this.#generationMs) return;
    this.#turn();
    if (age >= 2 * this.#generationMs) this.#turn();
  }

  #turn(): void {
    const forgotten = this.#old;
    forgotten.clear();
    this.#old = this.#young;
    this.#young = forgotten;
    this.#youngSince = this.#clock.now();
  }
}
