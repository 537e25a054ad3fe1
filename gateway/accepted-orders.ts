/** What is kept of an accepted order. */
export interface AcceptedOrder {
  storeId: string;
  fingerprint: string;
  /** Milliseconds since the epoch. */
  acceptedAt: number;
}

const ID_WORDS = 4;
/** SHA-256 as base64url. */
const FINGERPRINT_CHARS = 43;

/**
 * A fixed number of accepted orders by orderId: a hash table with open addressing in typed arrays. A map of objects would hold
 * hundreds of thousands of live objects, which the garbage collector visits again and again; this it does not see at all.
 */
export class AcceptedOrders {
  readonly #capacity: number;
  readonly #mask: number;
  readonly #ids: Uint32Array;
  readonly #fingerprints: Uint8Array;
  readonly #stores: Uint32Array;
  readonly #acceptedAt: Float64Array;
  /** A byte of each row's hash, 0 for a free row: small enough to stay in the processor's cache, so a search for an unknown order touches nothing else. */
  readonly #tags: Uint8Array;
  #storeNames: string[] = [];
  #storeIndexes = new Map<string, number>();
  #size = 0;
  /** The id that is being looked for, as words. */
  readonly #wanted = new Uint32Array(ID_WORDS);
  /** The tag of its row. */
  #tag = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
    // At most half of the rows are in use, so a search ends after a step or two.
    const rows = 2 ** Math.ceil(Math.log2(capacity * 2));
    this.#mask = rows - 1;
    this.#ids = new Uint32Array(rows * ID_WORDS);
    this.#fingerprints = new Uint8Array(rows * FINGERPRINT_CHARS);
    this.#stores = new Uint32Array(rows);
    this.#acceptedAt = new Float64Array(rows);
    this.#tags = new Uint8Array(rows);
  }

  get size(): number {
    return this.#size;
  }

  get isFull(): boolean {
    return this.#size >= this.#capacity;
  }

  /** `orderId` is a UUID in lower case. */
  get(orderId: string): AcceptedOrder | undefined {
    const row = this.#find(orderId);
    if (this.#tags[row] === 0) return undefined;
    const start = row * FINGERPRINT_CHARS;
    return {
      storeId: this.#storeNames[this.#stores[row] as number] as string,
      fingerprint: String.fromCharCode(...this.#fingerprints.subarray(start, start + FINGERPRINT_CHARS)),
      acceptedAt: this.#acceptedAt[row] as number,
    };
  }

  /** Replaces what was kept of this orderId before. The table must not be full. */
  set(orderId: string, storeId: string, fingerprint: string, acceptedAt: number): void {
    const row = this.#find(orderId);
    if (this.#tags[row] === 0) this.#size += 1;
    this.#tags[row] = this.#tag;
    this.#acceptedAt[row] = acceptedAt;
    for (let at = 0; at < ID_WORDS; at += 1) this.#ids[row * ID_WORDS + at] = this.#wanted[at] as number;
    this.#stores[row] = this.#storeIndex(storeId);
    const start = row * FINGERPRINT_CHARS;
    for (let at = 0; at < FINGERPRINT_CHARS; at += 1) this.#fingerprints[start + at] = fingerprint.charCodeAt(at);
  }

  clear(): void {
    if (this.#size === 0) return;
    this.#tags.fill(0);
    this.#storeNames = [];
    this.#storeIndexes = new Map();
    this.#size = 0;
  }

  /** The row of this orderId, or the free row where it belongs. */
  #find(orderId: string): number {
    const wanted = this.#wanted;
    const a = word(orderId, 0, 4);
    const b = word(orderId, 9, 14);
    const c = word(orderId, 19, 24);
    const d = word(orderId, 28, 32);
    wanted[0] = a;
    wanted[1] = b;
    wanted[2] = c;
    wanted[3] = d;
    const hash = mixed(a, b, c, d);
    const tag = (hash >>> 24) | 1;
    this.#tag = tag;
    let row = hash & this.#mask;
    for (let found = this.#tags[row]; found !== 0; found = this.#tags[row]) {
      const at = row * ID_WORDS;
      const ids = this.#ids;
      if (
        found === tag &&
        ids[at + 3] === wanted[3] &&
        ids[at] === wanted[0] &&
        ids[at + 1] === wanted[1] &&
        ids[at + 2] === wanted[2]
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
