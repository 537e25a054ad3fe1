// The names of an object's members, in tables for a fast search. Built by generation/scanner-source.ts, searched by name-token.ts.

/** Words of four bytes that are compared at once: a name of up to `4 * NAME_WORDS - 2` letters, its second quote and the colon. */
export const NAME_WORDS = 3;

/** Every table but `firsts` is indexed by place: the first name has place 1, and place 0 is what stands before an object's first member. */
export interface Names {
  readonly texts: readonly Uint8Array[];
  /** The first place with this length and first letter, by `nameKey`; 0 for none. */
  readonly firsts: Uint16Array;
  /** The next place with the same length and first letter; 0 for none. */
  readonly others: Uint16Array;
  /** The place that followed this place in the object before. The scanner writes it: clients send members in the same order again and again. */
  readonly next: Uint16Array;
  /** The beginning of the name, its second quote and the colon, as `NAME_WORDS` words; `masks` has the bits of the words that count. */
  readonly words: Int32Array;
  readonly masks: Int32Array;
  /** Bytes of the name with both quotes and the colon. */
  readonly widths: Uint16Array;
  readonly lengthMax: number;
}

/** @param names different names of at least one character, in ASCII that JSON needs not escape */
export function namesOf(names: readonly string[]): Names {
  const size = names.length + 1;
  const lengthMax = Math.max(...names.map(({ length }) => length));
  const texts = [new Uint8Array(0), ...names.map(bytesOf)];
  const firsts = new Uint16Array((lengthMax + 1) << 7);
  const others = new Uint16Array(size);
  const words = new Int32Array(NAME_WORDS * size);
  const masks = new Int32Array(words.length);
  const widths = new Uint16Array(size);
  for (const [index, name] of names.entries()) {
    const place = index + 1;
    const key = nameKey(name.length, name.charCodeAt(0));
    others[place] = firsts[key] as number;
    firsts[key] = place;
    widths[place] = name.length + 3;
    const compared = `${name}":`.slice(0, 4 * NAME_WORDS);
    const begin = 4 * NAME_WORDS * place;
    Buffer.from(words.buffer).write(compared, begin, 'latin1');
    Buffer.from(masks.buffer).fill(0xff, begin, begin + compared.length);
  }
  return { texts, firsts, others, next: new Uint16Array(size).fill(1), words, masks, widths, lengthMax };
}

function nameKey(length: number, firstCode: number): number {
  return (length << 7) | firstCode;
}

export function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text));
}
