/** An orderId as it is looked up: its 128 bits as four words, and a hash of them. Made once per order. */
export interface OrderKey {
  readonly orderId: string;
  readonly word0: number;
  readonly word1: number;
  readonly word2: number;
  readonly word3: number;
  /** 32 bits that spread well. */
  readonly hash: number;
}

/** Characters of a UUID. */
export const ORDER_ID_LENGTH = 36;

const DASH = 0x2d;

/** Of an orderId that has been found to be a UUID in lower case. */
export function orderKey(orderId: string): OrderKey {
  const key = readOrderKey(Buffer.from(orderId, 'latin1'), 0);
  if (key === undefined) throw new Error(`${orderId} is not a UUID in lower case`);
  return key;
}

/** Reads a UUID in lower case out of text in ASCII; `undefined` where there is none. */
export function readOrderKey(bytes: Buffer, from: number): OrderKey | undefined {
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
  return { orderId, word0, word1, word2, word3, hash: mixed(word0, word1, word2, word3) };
}

/** Of four hexadecimal digits. */
const QUAD_MAX = 0xffff;

/** By their codes: hexadecimal digits in lower case, and what makes a quad too large for everything else. */
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

/** Spreads ids that count up or share a prefix; the multipliers and shifts are those of MurmurHash3's finalizer. */
function mixed(a: number, b: number, c: number, d: number): number {
  let hash = Math.imul(a ^ Math.imul(b, 0x9e3779b1) ^ Math.imul(c, 0x85ebca6b) ^ Math.imul(d, 0xc2b2ae35), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
