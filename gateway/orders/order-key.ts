import { randomInt } from 'node:crypto';

/** An orderId in the form for lookups: its 128 bits as four words, and a hash of them. Made once per order. */
export interface OrderKey {
  readonly orderId: string;
  readonly word0: number;
  readonly word1: number;
  readonly word2: number;
  readonly word3: number;
  /** 32 bits that are spread evenly, and that no client can predict. */
  readonly hash: number;
}

/** Characters of a UUID. */
export const ORDER_ID_LENGTH = 36;

const DASH = 0x2d;

/** @param orderId a UUID in lower case; the caller has checked that */
export function orderKey(orderId: string): OrderKey {
  const key = readOrderKey(Buffer.from(orderId, 'latin1'), 0);
  if (key === undefined) throw new Error(`${orderId} is not a UUID in lower case`);
  return key;
}

/** Reads a UUID in lower case from ASCII text; `undefined` when the text is not one. */
export function readOrderKey(bytes: Buffer, from: number, seed = processSeed): OrderKey | undefined {
  const a = quad(bytes, from);
  const b = quad(bytes, from + 4);
  const c = quad(bytes, from + 9);
  const d = quad(bytes, from + 14);
  const e = quad(bytes, from + 19);
  const f = quad(bytes, from + 24);
  const g = quad(bytes, from + 28);
  const h = quad(bytes, from + 32);
  const isUuid =
    (a | b | c | d | e | f | g | h) <= QUAD_MAX &&
    bytes[from + 8] === DASH &&
    bytes[from + 13] === DASH &&
    bytes[from + 18] === DASH &&
    bytes[from + 23] === DASH;
  if (!isUuid) return undefined;
  const orderId = bytes.toString('latin1', from, from + ORDER_ID_LENGTH);
  const word0 = (a << 16) | b;
  const word1 = (c << 16) | d;
  const word2 = (e << 16) | f;
  const word3 = (g << 16) | h;
  return { orderId, word0, word1, word2, word3, hash: mixed(sum(seed, a, b, c, d, e, f, g, h)) };
}

/** The number of four hexadecimal digits. */
const QUAD_MAX = 0xffff;

/** The value of each hexadecimal digit, by character code. Other characters have a value that makes the quad too large. */
const digits = Int32Array.from({ length: 256 }, (_, code) => {
  const digit = '0123456789abcdef'.indexOf(String.fromCharCode(code));
  return digit < 0 ? QUAD_MAX + 1 : digit;
});

function quad(bytes: Buffer, at: number): number {
  return (digit(bytes, at) << 12) | (digit(bytes, at + 1) << 8) | (digit(bytes, at + 2) << 4) | digit(bytes, at + 3);
}

function digit(bytes: Buffer, at: number): number {
  return digits[bytes[at] as number] as number;
}

/** One secret factor for each of the eight quads of an id. */
export type HashSeed = Float64Array;

/** 2^31 - 1, a prime. */
const MODULUS = 0x7fffffff;

export function newHashSeed(): HashSeed {
  return Float64Array.from({ length: 8 }, () => randomInt(1, MODULUS));
}

/**
 * Clients choose their ids. So a client could choose thousands of ids with the same place in a hash table, and each lookup would then compare
 * all of them. Every process has factors of its own, which no client knows.
 */
const processSeed = newHashSeed();

/**
 * The scalar product of id and seed modulo a prime (Carter and Wegman): two different ids have the same product with a chance of 1 in 2^31, even
 * if a client chose them. Quads have 16 bits and factors 31, so the whole sum is exact as a double.
 */
function sum(s: HashSeed, a: number, b: number, c: number, d: number, e: number, f: number, g: number, h: number) {
  const left = a * (s[0] as number) + b * (s[1] as number) + c * (s[2] as number) + d * (s[3] as number);
  const right = e * (s[4] as number) + f * (s[5] as number) + g * (s[6] as number) + h * (s[7] as number);
  const total = left + right;
  // The high bits are added to the low 31 bits, because 2^31 is 1 modulo the prime.
  const folded = (total / 0x80000000) | 0;
  const low = (total | 0) & MODULUS;
  const once = (folded + low) | 0;
  return (once & MODULUS) + (once >>> 31);
}

/** Spreads sums that are close to each other; the multipliers and shifts are those of MurmurHash3's finalizer. */
function mixed(value: number): number {
  let hash = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
