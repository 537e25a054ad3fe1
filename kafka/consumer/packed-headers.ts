/*
 * Headers as they are in a record (magic 2): a varint count, then for each header name length, name, value length, value; all lengths are
 * zigzag varints. They can be passed on undecoded, and are decoded when a caller asks for one.
 */

const NO_BYTES = Buffer.alloc(0);

/** The headers of one record, from their count to the end of `buffer`. */
export interface PackedHeaders {
  readonly buffer: Buffer;
  readonly start: number;
}

/** Decodes packed headers from `start` on. A repeated name keeps its last value; a null value reads as empty. */
export function readPackedHeaders(bytes: Uint8Array, start = 0): Record<string, Buffer> {
  const source = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const cursor = { at: start };
  // Without a prototype, `__proto__` is a name like any other.
  const headers: Record<string, Buffer> = Object.create(null);
  for (let left = readVarint(source, cursor); left > 0; left--) {
    const nameLength = readVarint(source, cursor);
    const name = source.toString('utf8', cursor.at, cursor.at + nameLength);
    cursor.at += nameLength;
    const valueLength = readVarint(source, cursor);
    if (valueLength < 0) {
      headers[name] = NO_BYTES;
      continue;
    }
    headers[name] = source.subarray(cursor.at, cursor.at + valueLength);
    cursor.at += valueLength;
  }
  return headers;
}

/**
 * The value of one header as text, without decoding the others. `undefined` where the record does not have it; of a repeated name the last
 * value counts.
 * @param name ASCII
 */
export function findPackedHeader(source: Buffer, start: number, name: string): string | undefined {
  const cursor = { at: start };
  let found = -1;
  let foundLength = 0;
  for (let left = readVarint(source, cursor); left > 0; left--) {
    const nameLength = readVarint(source, cursor);
    const isIt = nameLength === name.length && hasText(source, cursor.at, name);
    cursor.at += nameLength;
    const valueLength = Math.max(readVarint(source, cursor), 0);
    if (isIt) {
      found = cursor.at;
      foundLength = valueLength;
    }
    cursor.at += valueLength;
  }
  return found < 0 ? undefined : source.toString('utf8', found, found + foundLength);
}

function hasText(source: Buffer, at: number, text: string): boolean {
  for (let index = 0; index < text.length; index++) if (source[at + index] !== text.charCodeAt(index)) return false;
  return true;
}

function readVarint(bytes: Buffer, cursor: { at: number }): number {
  let value = 0;
  let shift = 0;
  for (;;) {
    const byte = bytes[cursor.at] ?? 0;
    cursor.at++;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return (value >>> 1) ^ -(value & 1);
    shift += 7;
  }
}
