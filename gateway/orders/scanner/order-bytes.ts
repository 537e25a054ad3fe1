// Decodes the JSON of an order, and puts an orderId into it. Used by the reception and the WebSocket.

import { isAscii, isUtf8 } from 'node:buffer';
import { randomUUIDv7 } from 'node:crypto';
import { jsonFault } from '../../../contracts/validation.ts';
import { repeatedMember } from './repeated-member.ts';

/** A decoded body: any JSON value, or the reason why the body is not JSON. */
export type Decoded = { ok: true; value: unknown } | { ok: false; detail: string };

/**
 * Decodes JSON strictly. JSON is UTF-8 (RFC 8259): other bytes are refused, where Node would replace them silently. An object that names a member
 * twice is refused too, where `JSON.parse` would drop one.
 */
export function decodeJson(bytes: Buffer): Decoded {
  let text: string;
  // Most bodies are ASCII, and latin1 decodes them much faster.
  if (isAscii(bytes)) text = bytes.toString('latin1');
  else if (isUtf8(bytes)) text = bytes.toString('utf8');
  else return { ok: false, detail: 'the body is not valid UTF-8' };
  if (text === '') return { ok: false, detail: 'the body is empty' };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { ok: false, detail: `the body is not valid JSON: ${jsonFault(error)}` };
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
