import { randomFillSync } from 'node:crypto';

const pattern = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

const ID_BYTES = 24;
const pool = Buffer.allocUnsafe(ID_BYTES * 256);
let used = pool.length;

/** The request's W3C trace context where it is a valid one, else the beginning of a new trace. */
export function traceparentOf(header: string): string {
  return header !== '' && pattern.test(header) ? header : newTraceparent();
}

/** Random bytes are drawn for many ids at a time: a call into OpenSSL per order would cost more than the order's parsing. */
function newTraceparent(): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const hex = pool.toString('hex', used, used + ID_BYTES);
  used += ID_BYTES;
  return `00-${hex.slice(0, 32)}-${hex.slice(32)}-01`;
}
