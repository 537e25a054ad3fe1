import assert from 'node:assert/strict';

/** Words of four bytes that hold a name, its second quote and the colon. */
export const NAME_WORDS = 3;
export const NAME_LENGTH_MAX = 4 * NAME_WORDS - 2;
/** In front of an object's first member. */
export const FIRST = 15;

/** The names of an object's members, as `scanOrder` looks for them. */
export interface Names {
  readonly texts: readonly Uint8Array[];
  /** By length and first letter, which tell the names of one object apart. */
  readonly places: Int8Array;
  /** The member that came behind each the last time. */
  readonly next: Uint8Array;
  /** Of each name, its second quote and the colon: as words, with the bits of them that count, and how many bytes they and the first quote are. */
  readonly words: Int32Array;
  readonly masks: Int32Array;
  readonly widths: Uint8Array;
  /** Bits of the members that must be there. */
  readonly required: number;
}

/** The members of an object of the schema, which must be `known`: these are told by their places in it. */
export function namesOf(schema: object, known: readonly string[]): Names {
  const { properties, required = [] } = schema as { properties: object; required?: readonly string[] };
  assert.deepEqual(Object.keys(properties).sort(), known.toSorted());
  const places = new Int8Array((NAME_LENGTH_MAX + 1) << 7).fill(-1);
  const words = new Int32Array(NAME_WORDS * known.length);
  const masks = new Int32Array(words.length);
  for (const [index, name] of known.entries()) {
    assert(name.length <= NAME_LENGTH_MAX, `${name} is longer than ${NAME_LENGTH_MAX} letters`);
    const key = (name.length << 7) | name.charCodeAt(0);
    assert.equal(places[key], -1, `${name} is not told apart by its length and first letter`);
    places[key] = index;
    const text = `${name}":`;
    const begin = 4 * NAME_WORDS * index;
    Buffer.from(words.buffer).write(text, begin);
    Buffer.from(masks.buffer).fill(0xff, begin, begin + text.length);
  }
  return {
    texts: known.map(bytesOf),
    places,
    next: new Uint8Array(FIRST + 1),
    words,
    masks,
    widths: Uint8Array.from(known, (name) => name.length + 3),
    required: required.reduce((sum, name) => sum | (1 << known.indexOf(name)), 0),
  };
}

export function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text));
}
