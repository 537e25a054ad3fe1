// Reads strings. Used by index.ts and instant-token.ts.

import { ORDER_ID_LENGTH, type OrderKey, readOrderKey } from '../../order-key.ts';
import { lanes, type ObjectHash } from '../object-hash.ts';
import { codes, input, tableOf } from './input.ts';

const { bytes, takeCode, isText } = input;
const { QUOTE, DASH } = codes;
const { LOW_SEED, HIGH_SEED, LOW_FACTOR, HIGH_FACTOR } = lanes;
const NOT_THERE = -1;

const isWord = tableOf(/[a-z0-9]/);

/** Where the text begins that was taken last. It ends before its second quote. */
let textFrom = 0;
let key: OrderKey | undefined;

/** A UUID in lower case. It is not hashed. */
function takeOrderId(from: number): number {
  const at = takeCode(from, QUOTE);
  if (at < 0) return NOT_THERE;
  key = readOrderKey(bytes, at);
  return key !== undefined && bytes[at + ORDER_ID_LENGTH] === QUOTE ? at + ORDER_ID_LENGTH + 1 : NOT_THERE;
}

/** A string without escapes. @param characters a table of those that the string may have, by code; all of them are in `isPlain` */
function takeText(
  from: number,
  hash: ObjectHash,
  tag: number,
  min: number,
  max: number,
  characters: Uint8Array,
): number {
  let at = takeCode(from, QUOTE);
  if (at < 0) return NOT_THERE;
  textFrom = at;
  let low = Math.imul(tag, LOW_SEED);
  let high = Math.imul(tag, HIGH_SEED);
  let code = bytes[at] as number;
  while (characters[code] === 1) {
    low = Math.imul(low ^ code, LOW_FACTOR);
    high = Math.imul(high ^ code, HIGH_FACTOR) ^ (low >>> 15);
    at++;
    code = bytes[at] as number;
  }
  const length = at - textFrom;
  if (code !== QUOTE || length < min || length > max) return NOT_THERE;
  hash.add(low ^ length, high);
  return at + 1;
}

/** The same for lower-case words joined by hyphens. */
function takeWords(from: number, hash: ObjectHash, tag: number, min: number, max: number): number {
  let at = takeCode(from, QUOTE);
  if (at < 0) return NOT_THERE;
  textFrom = at;
  let low = Math.imul(tag, LOW_SEED);
  let high = Math.imul(tag, HIGH_SEED);
  let before: number = DASH;
  let code = bytes[at] as number;
  while (isWord[code] === 1 || (code === DASH && before !== DASH)) {
    low = Math.imul(low ^ code, LOW_FACTOR);
    high = Math.imul(high ^ code, HIGH_FACTOR) ^ (low >>> 15);
    before = code;
    at++;
    code = bytes[at] as number;
  }
  const length = at - textFrom;
  if (code !== QUOTE || before === DASH || length < min || length > max) return NOT_THERE;
  hash.add(low ^ length, high);
  return at + 1;
}

/** Which one of the texts the text is that was taken last, where `at` is the place behind it; -1 for none of them. */
function choiceOf(at: number, texts: readonly Uint8Array[]): number {
  for (let index = 0; index < texts.length; index++)
    if (isText(textFrom, at - 1, texts[index] as Uint8Array)) return index;
  return -1;
}

/** Whether the text that was taken last matches; `at` is the place behind it. */
function matches(at: number, pattern: RegExp): boolean {
  return pattern.test(bytes.toString('latin1', textFrom, at - 1));
}

/** The text that was taken last. When it is the likely text, the same string is returned and none is allocated. */
function textBefore(at: number, likely: string): string {
  const length = at - 1 - textFrom;
  let isLikely = length === likely.length;
  for (let index = 0; isLikely && index < length; index++)
    isLikely = bytes[textFrom + index] === likely.charCodeAt(index);
  return isLikely ? likely : bytes.toString('latin1', textFrom, at - 1);
}

/** Whether the text that was taken last stands before in the list of `count` texts; if not, it is added to the list. */
function isRepeated(at: number, begins: Int32Array, ends: Int32Array, count: number): boolean {
  const length = at - 1 - textFrom;
  for (let index = 0; index < count; index++) {
    const begin = begins[index] as number;
    if (
      (ends[index] as number) - begin === length &&
      bytes.compare(bytes, begin, begin + length, textFrom, at - 1) === 0
    )
      return true;
  }
  begins[count] = textFrom;
  ends[count] = at - 1;
  return false;
}

export const textTokens = {
  takeOrderId,
  takeText,
  takeWords,
  choiceOf,
  matches,
  textBefore,
  isRepeated,
  textTakenFrom: () => textFrom,
  keyTaken: () => key,
};
