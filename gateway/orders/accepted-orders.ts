// A hash table of accepted orders. Used by recent-orders.ts.

import type { OrderKey } from './order-key.ts';

/** The data that is kept of an accepted order. */
export interface AcceptedOrder {
  storeId: string;
  /** `ContentHash` of the order. */
  content: number;
  /** Milliseconds since 1970. */
  acceptedAt: number;
}

/** A row: four words of the id, two of hash and time, the store's index, the low word of the time. Half a cache line, and never across two. */
const ROW_WORDS = 8;
const CONTENT_LOW = 4;
/** 21 bits of the hash, below 11 of the time. */
const BOTH_HIGH = 5;
const STORE = 6;
const TIME_LOW = 7;
const CONTENT_HIGH_BITS = 21;
const CONTENT_HIGH_MASK = 2 ** CONTENT_HIGH_BITS - 1;
const WORD = 2 ** 32;

/**
 * A fixed number of accepted orders by orderId: a hash table with open addressing in typed arrays. A map of objects would hold
 * hundreds of thousands of live objects, which the garbage collector visits again and again; it does not visit typed arrays.
 */
export class AcceptedOrders {
  readonly #capacity: number;
  readonly #mask: number;
  readonly #rows: Int32Array;
  /** A byte of each row's hash, 0 for a free row: small enough to stay in the processor's cache, so a search for an unknown order touches nothing else. */
  readonly #tags: Uint8Array;
  #storeNames: string[] = [];
  #storeIndexes = new Map<string, number>();
  #size = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
    // At most half of the rows are in use, so a search ends after a step or two.
    const rows = 2 ** Math.ceil(Math.log2(capacity * 2));
    this.#mask = rows - 1;
    this.#rows = new Int32Array(rows * ROW_WORDS);
    this.#tags = new Uint8Array(rows);
  }

  get size(): number {
    return this.#size;
  }

  get isFull(): boolean {
    return this.#size >= this.#capacity;
  }

  get(key: OrderKey): AcceptedOrder | undefined {
    const row = this.#find(key);
    if (this.#tags[row] === 0) return undefined;
    const rows = this.#rows;
    const at = row * ROW_WORDS;
    const high = rows[at + BOTH_HIGH] as number;
    return {
      storeId: this.#storeNames[rows[at + STORE] as number] as string,
      content: (high & CONTENT_HIGH_MASK) * WORD + ((rows[at + CONTENT_LOW] as number) >>> 0),
      acceptedAt: (high >>> CONTENT_HIGH_BITS) * WORD + ((rows[at + TIME_LOW] as number) >>> 0),
    };
  }

  /** Replaces what was kept of this order before. The table must not be full. */
  set(key: OrderKey, storeId: string, content: number, acceptedAt: number): void {
    const row = this.#find(key);
    if (this.#tags[row] === 0) this.#size++;
    this.#tags[row] = tagOf(key.hash);
    const rows = this.#rows;
    const at = row * ROW_WORDS;
    rows[at] = key.word0;
    rows[at + 1] = key.word1;
    rows[at + 2] = key.word2;
    rows[at + 3] = key.word3;
    rows[at + CONTENT_LOW] = content | 0;
    rows[at + BOTH_HIGH] = Math.floor(content / WORD) | (Math.floor(acceptedAt / WORD) << CONTENT_HIGH_BITS);
    rows[at + STORE] = this.#storeIndex(storeId);
    rows[at + TIME_LOW] = acceptedAt | 0;
  }

  clear(): void {
    if (this.#size === 0) return;
    this.#tags.fill(0);
    this.#storeNames = [];
    this.#storeIndexes = new Map();
    this.#size = 0;
  }

  /** The order's row, or the free row where it belongs. */
  #find({ hash, word0, word1, word2, word3 }: OrderKey): number {
    const tag = tagOf(hash);
    const rows = this.#rows;
    let row = hash & this.#mask;
    for (let found = this.#tags[row]; found !== 0; found = this.#tags[row]) {
      const at = row * ROW_WORDS;
      if (
        found === tag &&
        rows[at + 3] === word3 &&
        rows[at] === word0 &&
        rows[at + 1] === word1 &&
        rows[at + 2] === word2
      )
        return row;
      row = (row + 1) & this.#mask;
    }
    return row;
  }

  #storeIndex(storeId: string): number {
    let index = this.#storeIndexes.get(storeId);
    if (index === undefined) {
      index = this.#storeNames.push(storeId) - 1;
      this.#storeIndexes.set(storeId, index);
    }
    return index;
  }
}

function tagOf(hash: number): number {
  return (hash >>> 24) | 1;
}
