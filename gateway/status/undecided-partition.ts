// Reads and indexes the undecided orders of a partition. Used by undecided-orders.ts.

import { storeIdIn } from '../../contracts/order/order.ts';
import type { RangeRead, ReadRecord } from '../../kafka/index.ts';

/** Orders that are remembered, over all partitions. */
export const ORDERS_MAX = 200_000;

/** An order in the log that the order-validator has not decided yet. */
export interface UndecidedOrder {
  storeId: string;
  /** Milliseconds since 1970. */
  acceptedAt: number;
}

/** The index entry of an order. */
interface Entry extends UndecidedOrder {
  offset: number;
}

interface PartitionIndexOptions {
  /** For messages: topic and partition. */
  place: string;
  read(from: number, onRecord: (record: ReadRecord) => void): Promise<RangeRead>;
  committed(): Promise<number | undefined>;
  /** How many more orders may be remembered. */
  room(): number;
}

/** The undecided orders of one partition, as far as they were read. */
export class PartitionIndex {
  readonly #options: PartitionIndexOptions;
  readonly #orders = new Map<string, Entry[]>();
  /** Records below this offset are decided; those from there to `#next` are in the index. */
  #from = 0;
  #next = 0;
  #sweptTo = 0;
  #reading: Promise<void> | undefined;
  #queued: Promise<void> | undefined;

  constructor(options: PartitionIndexOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#orders.size;
  }

  find(orderId: string, storeId: string | undefined): UndecidedOrder | undefined {
    return this.#orders
      .get(orderId)
      ?.find((order) => order.offset >= this.#from && (storeId === undefined || order.storeId === storeId));
  }

  /** Resolves when every record that was acknowledged before the call is in the index: after a read that began later than the call. */
  readToEnd(): Promise<void> {
    if (this.#reading === undefined) {
      this.#reading = this.#read().finally(() => {
        this.#reading = undefined;
      });
      return this.#reading;
    }
    const again = () => {
      this.#queued = undefined;
      return this.readToEnd();
    };
    // The callers of the first read learn whether it failed.
    this.#queued ??= this.#reading.then(again, again);
    return this.#queued;
  }

  async #read(): Promise<void> {
    const { place } = this.#options;
    const committed = await this.#options.committed();
    this.#forgetBelow(committed ?? 0);
    const room = this.#options.room();
    const from = this.#next;
    let taken = 0;
    const { next, atEnd, skipped } = await this.#options.read(from, (record) => {
      if (taken < room && this.#add(record)) taken++;
      if (taken < room) this.#next = record.offset + 1;
    });
    if (skipped && (committed !== undefined || from > 0)) {
      this.#startAt(committed ?? 0);
      throw new Error(`${place} does not hold offset ${from}, which the order-validator has not read`);
    }
    if (taken >= room) throw new Error(`more than ${ORDERS_MAX} orders wait for their decision`);
    this.#next = next;
    if (!atEnd) throw new Error(`${place} was read to offset ${next} in this question's time, and goes on`);
  }

  #forgetBelow(committed: number): void {
    // A position that went back was set by an operator, or belongs to another log. The database may not know the orders after it.
    if (committed < this.#from || committed >= this.#next) {
      this.#startAt(committed);
      return;
    }
    this.#from = committed;
    // A sweep visits the whole index, so it waits until many orders were decided.
    if (committed - this.#sweptTo <= this.#orders.size / 2) return;
    this.#sweptTo = committed;
    for (const [orderId, entries] of this.#orders) {
      const left = entries.filter(({ offset }) => offset >= committed);
      if (left.length === 0) this.#orders.delete(orderId);
      else if (left.length < entries.length) this.#orders.set(orderId, left);
    }
  }

  #startAt(offset: number): void {
    this.#orders.clear();
    this.#from = offset;
    this.#sweptTo = offset;
    this.#next = offset;
  }

  /** @returns whether the order is new in the index */
  #add({ key, value, headers, timestamp, offset }: ReadRecord): boolean {
    const storeId = storeIdIn(value);
    if (key === null || storeId === undefined) return false;
    const orderId = key.toString();
    const time = Date.parse(headers.ce_time?.toString() ?? '');
    const entry = { storeId, acceptedAt: Number.isNaN(time) ? timestamp : time, offset };
    const known = this.#orders.get(orderId);
    if (known === undefined) {
      this.#orders.set(orderId, [entry]);
      return true;
    }
    // A repeat is the same order; a store is told when the order was first accepted.
    if (!known.some((earlier) => earlier.storeId === storeId)) known.push(entry);
    return false;
  }
}
