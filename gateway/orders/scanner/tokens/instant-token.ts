// Reads a date with time. Used by index.ts.

import type { ObjectHash } from '../object-hash.ts';
import { codes, input } from './input.ts';
import { textTokens } from './text-tokens.ts';

const { bytes, isPlain } = input;
const { takeText, textTakenFrom } = textTokens;
const { DASH, DOT, ZERO, COLON } = codes;
const NOT_THERE = -1;

/** `2026-11-29T10:00:00Z`, with milliseconds or without. */
function takeInstant(from: number, hash: ObjectHash, tag: number, min: number, max: number): number {
  const at = takeText(from, hash, tag, min, max, isPlain);
  return at >= 0 && isInstant(textTakenFrom(), at - 1) ? at : NOT_THERE;
}

/** A time in UTC from 2000 to 2099; no leap days and no leap seconds. */
function isInstant(from: number, to: number): boolean {
  if (to - from === 24) {
    if (bytes[from + 19] !== DOT || twoDigits(from + 20) < 0 || twoDigits(from + 21) < 0) return false;
  } else if (to - from !== 20) return false;
  const isPunctuated =
    bytes[from + 4] === DASH &&
    bytes[from + 7] === DASH &&
    bytes[from + 10] === 0x54 &&
    bytes[from + 13] === COLON &&
    bytes[from + 16] === COLON &&
    bytes[to - 1] === 0x5a;
  const day = twoDigits(from + 8);
  return (
    isPunctuated &&
    twoDigits(from) === CENTURY &&
    twoDigits(from + 2) >= 0 &&
    day > 0 &&
    day <= (daysOfMonth[twoDigits(from + 5)] ?? 0) &&
    isBelow(24, twoDigits(from + 11)) &&
    isBelow(60, twoDigits(from + 14)) &&
    isBelow(60, twoDigits(from + 17))
  );
}

const CENTURY = 20;
const daysOfMonth = [0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Negative where there are not two digits. */
function twoDigits(at: number): number {
  const tens = (bytes[at] as number) - ZERO;
  const ones = (bytes[at + 1] as number) - ZERO;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : -1;
}

function isBelow(bound: number, count: number): boolean {
  return count >= 0 && count < bound;
}

export const instantToken = { takeInstant };
