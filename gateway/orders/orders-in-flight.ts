import type { OrderKey } from './order-key.ts';

/** An order on its way. The links are this file's own. */
export interface UnderWay {
  readonly key: OrderKey;
  /** The next one of its bucket. */
  next: UnderWay | undefined;
  older: UnderWay | undefined;
  younger: UnderWay | undefined;
}

const BUCKETS = 1 << 13;

/**
 * Orders on their way by orderId, in the order in which they began. A `Map` would be grown and shrunk with every batch of them; this
 * allocates nothing: the orders themselves are the links of its chains.
 */
export class OrdersUnderWay<Entry extends UnderWay> {
  readonly #buckets = new Array<UnderWay | undefined>(BUCKETS).fill(undefined);
  #oldest: UnderWay | undefined;
  #youngest: UnderWay | undefined;

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
