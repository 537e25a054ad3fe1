import type { Order } from '../contracts/order.ts';

/** The two halves of the hash; they have to survive from one part of the order to the next. */
let low = 0;
let high = 0;

/**
 * A hash of what an order says, its orderId aside: 53 bits, so that it is a plain number. It tells the same things apart as
 * `orderFingerprint` and costs a tenth of it. It is not cryptographic, so it stays in this process: a client that forges a collision
 * with an order of its own only gets the answer for that order again, and the definitive comparison is the order-validator's.
 *
 * Two multiply-and-xor lanes over UTF-16 code units with the finalizer of MurmurHash3, each part ended by its length.
 */
export function contentHash(order: Order): number {
  low = 0x2f1b2c3d;
  high = 0x5bd1e995;
  text(order.storeId);
  text(order.channel);
  text(order.placedAt);
  text(order.currency);
  number(order.total);
  text(order.customerId);
  text(order.payment.method);
  text(order.payment.token);
  for (const item of order.items) {
    text(item.sku);
    number(item.quantity);
    number(item.unitPrice);
    text(item.note);
    const { modifiers } = item;
    number(modifiers === undefined ? 0 : modifiers.length);
    if (modifiers === undefined) continue;
    for (const modifier of modifiers) {
      text(modifier.sku);
      number(modifier.quantity ?? 1);
      number(modifier.unitPrice);
    }
  }
  return (finalized(high) & 0x1fffff) * 0x1_0000_0000 + (finalized(low ^ high) >>> 0);
}

const ABSENT = -1;

function text(part: string | undefined): void {
  if (part === undefined) {
    number(ABSENT);
    return;
  }
  let a = low;
  let b = high;
  for (let at = 0; at < part.length; at += 1) {
    const code = part.charCodeAt(at);
    a = Math.imul(a ^ code, 0x9e3779b1);
    b = Math.imul(b ^ code, 0x5f356495);
    b ^= a >>> 15;
  }
  low = a;
  high = b;
  number(part.length);
}

/** A safe integer. */
function number(part: number): void {
  const top = Math.floor(part / 0x1_0000_0000);
  low = Math.imul(low ^ part, 0x85ebca6b) ^ Math.imul(top, 0x27d4eb2f);
  high = Math.imul(high ^ part ^ (low >>> 13), 0xc2b2ae35) ^ Math.imul(top, 0x165667b1);
}

function finalized(half: number): number {
  let hash = Math.imul(half ^ (half >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
