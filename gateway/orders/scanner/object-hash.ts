// The hash of an order's content, member by member. Used by tokens/ and by the code that generation/ writes.

/** Seeds and factors of the two lanes. A reader of text takes them into constants of its own file: tokens/index.ts says why. */
export const lanes = {
  LOW_SEED: 0x2f1b2c3d,
  HIGH_SEED: 0x5bd1e995,
  LOW_FACTOR: 0x9e3779b1,
  HIGH_FACTOR: 0x5f356495,
} as const;

const { LOW_SEED, HIGH_SEED, LOW_FACTOR, HIGH_FACTOR } = lanes;

/**
 * The hash of one object, and of the array in it. Numbers stay 32-bit integers, which V8 keeps in the fields of an object without an allocation
 * (Node's V8 has no pointer compression).
 *
 * A tag is the number of a member: the hash mixes the tag with the value. A member that is absent does not change the hash, and neither does an
 * empty array.
 */
export class ObjectHash {
  /** Two sums over the hashes of the members: members may come in any order. */
  low = 0;
  high = 0;
  /** Two lanes over the elements of the array: their order counts. */
  #arrayLow = 0;
  #arrayHigh = 0;

  begin(): void {
    this.low = 0;
    this.high = 0;
  }

  /** Adds a text, by two multiply-and-xor lanes over its UTF-16 code units. */
  text(tag: number, text: string): void {
    let low = Math.imul(tag, LOW_SEED);
    let high = Math.imul(tag, HIGH_SEED);
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index);
      low = Math.imul(low ^ code, LOW_FACTOR);
      high = Math.imul(high ^ code, HIGH_FACTOR) ^ (low >>> 15);
    }
    this.add(low ^ text.length, high);
  }

  /** Adds a safe integer. */
  number(tag: number, value: number): void {
    const top = value > 0xffff_ffff || value < 0 ? Math.floor(value / 0x1_0000_0000) : 0;
    const low = Math.imul(Math.imul(tag, LOW_SEED) ^ value, 0x85ebca6b) ^ Math.imul(top, 0x27d4eb2f);
    const high = Math.imul(Math.imul(tag, HIGH_SEED) ^ value ^ (low >>> 13), 0xc2b2ae35);
    this.add(low, high ^ Math.imul(top, 0x165667b1));
  }

  /** Adds any JSON value. */
  json(tag: number, value: unknown): void {
    this.text(tag, canonical(value));
  }

  beginArray(): void {
    this.#arrayLow = 0;
    this.#arrayHigh = 0;
  }

  /** Adds an element, whose own hash is complete, to the array. */
  element(of: ObjectHash): void {
    const low = (Math.imul(this.#arrayLow ^ of.low, LOW_FACTOR) + 1) | 0;
    this.#arrayLow = low;
    this.#arrayHigh = Math.imul(this.#arrayHigh ^ of.high, HIGH_FACTOR) ^ (low >>> 15);
  }

  /** Adds the array as a member. */
  endArray(tag: number, length: number): void {
    if (length === 0) return;
    this.add(Math.imul(tag, LOW_SEED) ^ this.#arrayLow ^ length, Math.imul(tag, HIGH_SEED) ^ this.#arrayHigh);
  }

  /** Adds an entry of a map, whose own hash is complete: entries may come in any order. */
  entry(tag: number, of: ObjectHash): void {
    this.add(Math.imul(tag, LOW_SEED) ^ of.low, Math.imul(tag, HIGH_SEED) ^ of.high);
  }

  /** Adds a member as two halves of its hash. */
  add(low: number, high: number): void {
    const mixed = finalized(low);
    this.low = (this.low + mixed) | 0;
    this.high = (this.high + finalized(high ^ mixed)) | 0;
  }

  /** 53 bits, so that the hash is a plain number. */
  digest(): number {
    const low = finalized(this.low);
    const high = finalized(this.high ^ low);
    return (high & 0x1fffff) * 0x1_0000_0000 + (low >>> 0);
  }
}

/** The finalizer of MurmurHash3. */
function finalized(half: number): number {
  let hash = Math.imul(half ^ (half >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

/** JSON with the members of every object in one order. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([one], [other]) => (one < other ? -1 : 1)))
      : part,
  );
}
