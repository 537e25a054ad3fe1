// The names of an order's members, in tables for a fast search. Used by order-scanner.ts.

import assert from 'node:assert/strict';

/** Words of four bytes that hold a name, its second quote and the colon. */
export const NAME_WORDS = 3;
export const NAME_LENGTH_MAX = 4 * NAME_WORDS - 2;
/** No member: what stands before an object's first member. Tags are positive, so that this is none. */
export const NO_TAG = 0;

/** The names of an object's members, in the form in which `OrderScanner` searches for them. Every table but `tags` is indexed by tag. */
export interface Names {
  readonly texts: readonly (Uint8Array | undefined)[];
  /** The tag by length and first letter, which differ for all names of one object; -1 where no name fits. */
  readonly tags: Int8Array;
  /** The tag that followed this one in the order before. The scanner writes it: clients send members in the same order again and again. */
  readonly next: Uint8Array;
  /** The name, its second quote and the colon, as `NAME_WORDS` words; `masks` has the bits of the words that count. */
  readonly words: Int32Array;
  readonly masks: Int32Array;
  /** Bytes of the name with both quotes and the colon. */
  readonly widths: Uint8Array;
  /** Bits of the members that must be there. */
  readonly required: number;
}

/** @param tagOf the tag of each member that the schema of the object has; a schema with other members is a programming error, found at start */
export function namesOf(schema: object, tagOf: Readonly<Record<string, number>>): Names {
  const { properties, required = [] } = schema as { properties: object; required?: readonly string[] };
  const known = Object.entries(tagOf);
  assert.deepEqual(Object.keys(properties).sort(), Object.keys(tagOf).sort());
  const size = Math.max(...Object.values(tagOf)) + 1;
  const texts = new Array<Uint8Array | undefined>(size).fill(undefined);
  const tags = new Int8Array((NAME_LENGTH_MAX + 1) << 7).fill(-1);
  const words = new Int32Array(NAME_WORDS * size);
  const masks = new Int32Array(words.length);
  const widths = new Uint8Array(size);
  for (const [name, tag] of known) {
    assert(name.length <= NAME_LENGTH_MAX, `${name} is longer than ${NAME_LENGTH_MAX} letters`);
    assert(tag > NO_TAG && tag < 31, `${tag}, the tag of ${name}, is not a bit of a small integer`);
    const key = (name.length << 7) | name.charCodeAt(0);
    assert.equal(tags[key], -1, `${name} is not told apart by its length and first letter`);
    tags[key] = tag;
    texts[tag] = bytesOf(name);
    widths[tag] = name.length + 3;
    const text = `${name}":`;
    const begin = 4 * NAME_WORDS * tag;
    Buffer.from(words.buffer).write(text, begin);
    Buffer.from(masks.buffer).fill(0xff, begin, begin + text.length);
  }
  const [first] = Object.values(tagOf);
  assert(first !== undefined);
  return {
    texts,
    tags,
    next: new Uint8Array(size).fill(first),
    words,
    masks,
    widths,
    required: required.reduce((bits, name) => bits | (1 << (tagOf[name] ?? NO_TAG)), 0),
  };
}

export function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text));
}
