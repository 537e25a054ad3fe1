// Reads integers and booleans. Used by index.ts.

import type { ObjectHash } from '../object-hash.ts';
import { codes, input } from './input.ts';

const { bytes, skipSpace, isText } = input;
const { DASH, ZERO, NINE } = codes;
const NOT_THERE = -1;
/** This many digits make a number of 32 bits, whichever digits they are. */
const INTEGER_LENGTH_MAX = 9;

/** The integer or boolean (0, 1) that was taken last. */
let value = 0;

/** A whole number. A fraction or an exponent is not taken: the caller then finds neither a comma nor a brace after the number. */
function takeInteger(from: number, hash: ObjectHash, tag: number, min: number, max: number): number {
  let at = skipSpace(from);
  const isNegative = bytes[at] === DASH;
  if (isNegative) at++;
  const begin = at;
  let sum = 0;
  let code = bytes[at] as number;
  while (code >= ZERO && code <= NINE) {
    sum = (Math.imul(sum, 10) + code - ZERO) | 0;
    at++;
    code = bytes[at] as number;
  }
  const length = at - begin;
  const hasLeadingZero = bytes[begin] === ZERO && length > 1;
  value = isNegative ? (0 - sum) | 0 : sum;
  if (length === 0 || length > INTEGER_LENGTH_MAX || hasLeadingZero || value < min || value > max) return NOT_THERE;
  hash.number(tag, value);
  return at;
}

/** `true` or `false`. Any text may follow: the caller then finds neither a comma nor a brace. */
function takeBoolean(from: number, hash: ObjectHash, tag: number): number {
  const at = skipSpace(from);
  value = bytes[at] === 0x74 ? 1 : 0;
  const text = value === 1 ? TRUE : FALSE;
  if (!isText(at, at + text.length, text)) return NOT_THERE;
  hash.number(tag, value);
  return at + text.length;
}

const TRUE = Uint8Array.from(Buffer.from('true'));
const FALSE = Uint8Array.from(Buffer.from('false'));

export const valueTokens = { takeInteger, takeBoolean, valueTaken: () => value };
