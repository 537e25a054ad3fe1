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

/** @param orderId a UUID in lower case */
export function orderKey(orderId: string): OrderKey {
  const word0 = word(orderId, 0, 4);
  const word1 = word(orderId, 9, 14);
  const word2 = word(orderId, 19, 24);
  const word3 = word(orderId, 28, 32);
  return { orderId, word0, word1, word2, word3, hash: mixed(word0, word1, word2, word3) };
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
