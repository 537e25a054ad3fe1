/** What is kept of an accepted order. */
export interface AcceptedOrder {
  storeId: string;
  /** `contentHash` of the order. */
  content: number;
  /** Milliseconds since the epoch. */
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

/** The id that is looked for, as words, and the hash that decides its row. Shared: it is read by the search that has just set it. */
const wanted = new Int32Array(5);
const HASH = 4;

/**
 * A fixed number of accepted orders by orderId: a hash table with open addressing in typed arrays. A map of objects would hold
 * hundreds of thousands of live objects, which the garbage collector visits again and again; this it does not see at all.
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

  /** What is kept of the orderId that `hashOf` has read last: a search in several tables reads it once. */
  getRead(): AcceptedOrder | undefined {
    const row = this.#find();
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

  /** Replaces what was kept of this orderId before. The table must not be full. */
  set(orderId: string, storeId: string, content: number, acceptedAt: number): void {
    hashOf(orderId);
    const row = this.#find();
    if (this.#tags[row] === 0) this.#size += 1;
    this.#tags[row] = tagOf(wanted[HASH] as number);
    const rows = this.#rows;
    const at = row * ROW_WORDS;
    rows[at] = wanted[0] as number;
    rows[at + 1] = wanted[1] as number;
    rows[at + 2] = wanted[2] as number;
    rows[at + 3] = wanted[3] as number;
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

  /** The row of the wanted id, or the free row where it belongs. */
  #find(): number {
    const hash = wanted[HASH] as number;
    const tag = tagOf(hash);
    const rows = this.#rows;
    let row = hash & this.#mask;
    for (let found = this.#tags[row]; found !== 0; found = this.#tags[row]) {
      const at = row * ROW_WORDS;
      if (
        found === tag &&
        rows[at + 3] === wanted[3] &&
        rows[at] === wanted[0] &&
        rows[at + 1] === wanted[1] &&
        rows[at + 2] === wanted[2]
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

/** The id that `wanted` holds. */
let wantedId = '';

/** 32 bits that spread well. `orderId` is a UUID in lower case. Costs next to nothing for the id that was read last. */
export function hashOf(orderId: string): number {
  if (orderId === wantedId) return wanted[HASH] as number;
  wantedId = orderId;
  const a = word(orderId, 0, 4);
  const b = word(orderId, 9, 14);
  const c = word(orderId, 19, 24);
  const d = word(orderId, 28, 32);
  wanted[0] = a;
  wanted[1] = b;
  wanted[2] = c;
  wanted[3] = d;
  const hash = mixed(a, b, c, d);
  wanted[HASH] = hash;
  return hash;
}

function tagOf(hash: number): number {
  return (hash >>> 24) | 1;
}

/** 32 bits out of two groups of four hexadecimal digits. */
function word(text: string, first: number, second: number): number {
  return (quad(text, first) << 16) | quad(text, second);
}

function quad(text: string, at: number): number {
  return (digit(text, at) << 12) | (digit(text, at + 1) << 8) | (digit(text, at + 2) << 4) | digit(text, at + 3);
}

function digit(text: string, at: number): number {
  const code = text.charCodeAt(at);
  return code < 58 ? code - 48 : code - 87;
}

/** Spreads ids that count up or share a prefix; the multipliers and shifts are those of MurmurHash3's finalizer. */
function mixed(a: number, b: number, c: number, d: number): number {
  let hash = Math.imul(a ^ Math.imul(b, 0x9e3779b1) ^ Math.imul(c, 0x85ebca6b) ^ Math.imul(d, 0xc2b2ae35), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
