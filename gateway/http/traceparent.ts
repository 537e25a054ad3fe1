// Trace contexts and request ids. Used by every transport.

import { randomFillSync } from 'node:crypto';

const pattern = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** Hexadecimal digits of a trace id and a parent id. */
const ID_DIGITS = 32 + 16;
const pool = Buffer.allocUnsafe((ID_DIGITS / 2) * 256);
let digits = '';
let used = 0;

/** The request's W3C trace context where it is a valid one, else the beginning of a new trace. */
export function traceparentOf(header: string): string {
  return header !== '' && pattern.test(header) ? header : newTraceparent();
}

/** A request id, for a request that came without one. */
export function newRequestId(): string {
  const at = takeId();
  return digits.slice(at, at + 32);
}

function newTraceparent(): string {
  const at = takeId();
  const parentAt = at + 32;
  return `00-${digits.slice(at, parentAt)}-${digits.slice(parentAt, at + ID_DIGITS)}-01`;
}

/** Random digits are drawn for many ids at a time: a call into OpenSSL per order would cost more than the order's parsing. */
function takeId(): number {
  if (used === digits.length) {
    digits = randomFillSync(pool).toString('hex');
    used = 0;
  }
  const at = used;
  used += ID_DIGITS;
  return at;
}
