// A table of the orders in flight. Used by recent-orders.ts.

import type { OrderKey } from './order-key.ts';

/** An order in flight. Only `OrdersInFlight` reads and writes the links. */
export interface Linked {
  readonly key: OrderKey;
  /** The next order of the same bucket. */
  next: Linked | undefined;
  older: Linked | undefined;
  younger: Linked | undefined;
}

const BUCKETS = 1 << 13;

/**
 * The orders in flight, by orderId and by age; `RecentOrders` keeps them here. A `Map` would grow and shrink with every batch of orders. This
 * class allocates nothing per order: the orders themselves are the links of its chains.
 */
export class OrdersInFlight<Entry extends Linked> {
  readonly #buckets = new Array<Linked | undefined>(BUCKETS).fill(undefined);
  #oldest: Linked | undefined;
  #youngest: Linked | undefined;

  get oldest(): Entry | undefined {
    return this.#oldest as Entry | undefined;
  }

  get({ orderId, hash }: OrderKey): Entry | undefined {
    let entry = this.#buckets[hash & (BUCKETS - 1)];
    while (entry !== undefined && entry.key.orderId !== orderId) entry = entry.next;
    return entry as Entry | undefined;
  }

  /** The order must not be there yet. */
  add(entry: Entry): void {
    const bucket = entry.key.hash & (BUCKETS - 1);
    entry.next = this.#buckets[bucket];
    this.#buckets[bucket] = entry;
    entry.older = this.#youngest;
    if (this.#youngest === undefined) this.#oldest = entry;
    else this.#youngest.younger = entry;
    this.#youngest = entry;
  }

  /** The entry must be there. */
  delete(entry: Entry): void {
    const bucket = entry.key.hash & (BUCKETS - 1);
    let link = this.#buckets[bucket];
    if (link === entry) this.#buckets[bucket] = entry.next;
    else {
      while (link !== undefined && link.next !== entry) link = link.next;
      if (link !== undefined) link.next = entry.next;
    }
    const { older, younger } = entry;
    if (older === undefined) this.#oldest = younger;
    else older.younger = younger;
    if (younger === undefined) this.#youngest = older;
    else younger.older = older;
    entry.next = undefined;
    entry.older = undefined;
    entry.younger = undefined;
  }
}
