import { isAscii, isUtf8 } from 'node:buffer';
import { randomUUIDv7 } from 'node:crypto';
import { repeatedMember } from './repeated-member.ts';

/** What a body turned out to be: any JSON value, or the reason why it is none. */
export type Decoded = { ok: true; value: unknown } | { ok: false; detail: string };

/**
 * JSON is UTF-8 (RFC 8259); bytes that are not are refused instead of being replaced silently, and so is a member that an object names
 * twice instead of being dropped.
 */
export function decodeJson(bytes: Buffer): Decoded {
  let text: string;
  // One byte a character is the usual case, and by far the faster one.
  if (isAscii(bytes)) text = bytes.toString('latin1');
  else if (isUtf8(bytes)) text = bytes.toString('utf8');
  else return { ok: false, detail: 'the body is not valid UTF-8' };
  if (text === '') return { ok: false, detail: 'the body is empty' };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { ok: false, detail: `the body is not valid JSON: ${(error as Error).message}` };
  }
  const repeated = repeatedMember(bytes, value);
  if (repeated === undefined) return { ok: true, value };
  return { ok: false, detail: `the body names the member ${repeated} twice; name each member once` };
}

/** Time-ordered, so that orders without an id of their own stay together in indexes. */
export function newOrderId(): string {
  return randomUUIDv7();
}

const OPENING_BRACE = 0x7b;

/** The same JSON object with the orderId as its first member; every other byte stays as it was. `bytes` is a non-empty object. */
export function withOrderId(bytes: Buffer, orderId: string): Buffer {
  const after = bytes.indexOf(OPENING_BRACE) + 1;
  return Buffer.concat([bytes.subarray(0, after), Buffer.from(`"orderId":"${orderId}",`), bytes.subarray(after)]);
}
