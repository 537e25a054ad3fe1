// Signs DNS messages and verifies the signatures of answers. Called by update.ts.

import { createHmac, timingSafeEqual } from 'node:crypto';
import { encodeName, encodeRecord, skipName, uint16 } from './wire.ts';

/** A key shared with the DNS server; HMAC-SHA256, which every server knows (RFC 8945, section 6). */
export interface TsigKey {
  name: string;
  secret: Buffer;
}

const ALGORITHM = 'hmac-sha256';
const TYPE_TSIG = 250;
const CLASS_ANY = 255;
/** How far the clocks of the two sides may be apart, in seconds. */
const FUDGE_S = 300;
const HEADER_BYTES = 12;
const ADDITIONAL_COUNT_AT = 10;

/** The message with its signature as the last additional record, and the signature, which the answer's is chained to. */
export function sign(message: Buffer, key: TsigKey, nowMs: number): { signed: Buffer; mac: Buffer } {
  const time = timeOf(nowMs);
  const mac = createHmac('sha256', key.secret)
    .update(message)
    .update(variables(key, time, FUDGE_S))
    .digest();
  const data = Buffer.concat([
    encodeName(ALGORITHM),
    time,
    uint16(FUDGE_S),
    uint16(mac.length),
    mac,
    message.subarray(0, 2),
    uint16(0),
    uint16(0),
  ]);
  const record = encodeRecord({ name: key.name, type: TYPE_TSIG, class: CLASS_ANY, ttlSeconds: 0, data });
  const signed = Buffer.concat([message, record]);
  signed.writeUInt16BE(message.readUInt16BE(ADDITIONAL_COUNT_AT) + 1, ADDITIONAL_COUNT_AT);
  return { signed, mac };
}

/**
 * Checks that an answer was signed with the key, for the request with that signature.
 * @throws Error saying what is wrong: an answer without a valid signature could come from anyone
 */
export function verify(answer: Buffer, requestMac: Buffer, key: TsigKey, nowMs: number): void {
  const at = lastRecord(answer);
  const type = skipName(answer, at);
  if (answer.readUInt16BE(type) !== TYPE_TSIG) throw new Error('the answer of the DNS server is not signed');
  const algorithm = type + 10;
  const time = skipName(answer, algorithm);
  const size = answer.readUInt16BE(time + 8);
  const mac = answer.subarray(time + 10, time + 10 + size);
  const error = answer.readUInt16BE(time + 10 + size + 2);
  if (error !== 0) throw new Error(`the DNS server refuses the signature: ${tsigErrors[error] ?? `error ${error}`}`);
  const unsigned = Buffer.from(answer.subarray(0, at));
  unsigned.writeUInt16BE(answer.readUInt16BE(ADDITIONAL_COUNT_AT) - 1, ADDITIONAL_COUNT_AT);
  const signedAt = answer.subarray(time, time + 6);
  const expected = createHmac('sha256', key.secret)
    .update(uint16(requestMac.length))
    .update(requestMac)
    .update(unsigned)
    .update(variables(key, signedAt, answer.readUInt16BE(time + 6)))
    .digest();
  if (mac.length !== expected.length || !timingSafeEqual(mac, expected))
    throw new Error("the answer's signature is not of the shared key");
  if (Math.abs(nowMs / 1_000 - signedAt.readUIntBE(0, 6)) > FUDGE_S)
    throw new Error(`the DNS server's clock and this one are more than ${FUDGE_S} s apart`);
}

const tsigErrors: Readonly<Record<number, string>> = {
  16: 'the key does not sign what it should (BADSIG)',
  17: 'it does not know the key (BADKEY)',
  18: 'the clocks are too far apart (BADTIME)',
};

/** What is signed besides the message (RFC 8945, section 4.3.3). */
function variables(key: TsigKey, time: Buffer, fudge: number): Buffer {
  return Buffer.concat([
    encodeName(key.name),
    uint16(CLASS_ANY),
    Buffer.alloc(4),
    encodeName(ALGORITHM),
    time,
    uint16(fudge),
    uint16(0),
    uint16(0),
  ]);
}

function timeOf(nowMs: number): Buffer {
  const time = Buffer.alloc(6);
  time.writeUIntBE(Math.floor(nowMs / 1_000), 0, 6);
  return time;
}

/** Where the last record starts. */
function lastRecord(message: Buffer): number {
  const [questions = 0, ...counts] = [4, 6, 8, ADDITIONAL_COUNT_AT].map((at) => message.readUInt16BE(at));
  let at = HEADER_BYTES;
  for (let n = 0; n < questions; n++) at = skipName(message, at) + 4;
  const records = counts.reduce((sum, count) => sum + count, 0);
  if (records === 0) throw new Error('the answer of the DNS server is not signed');
  for (let n = 0; n < records - 1; n++) {
    const type = skipName(message, at);
    at = type + 10 + message.readUInt16BE(type + 8);
  }
  return at;
}
