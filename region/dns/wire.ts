/** The part of DNS's wire format (RFC 1035, section 4) that a dynamic update needs. */

/** A name as its labels, each behind its length. @throws RangeError for a label or name that is too long */
export function encodeName(name: string): Buffer {
  const labels = name
    .toLowerCase()
    .split('.')
    .filter((label) => label !== '');
  const parts = labels.map((label) => {
    const bytes = Buffer.from(label, 'ascii');
    if (bytes.length > 63) throw new RangeError(`the label ${label} of ${name} is longer than 63 bytes`);
    return Buffer.concat([Buffer.of(bytes.length), bytes]);
  });
  const encoded = Buffer.concat([...parts, Buffer.of(0)]);
  if (encoded.length > 255) throw new RangeError(`${name} is longer than 255 bytes`);
  return encoded;
}

/** Where the name that starts at `offset` ends: at its root label, or behind a pointer. */
export function skipName(message: Buffer, offset: number): number {
  let at = offset;
  for (;;) {
    const length = message.readUInt8(at);
    if (length === 0) return at + 1;
    if (length >= 0xc0) return at + 2;
    at += 1 + length;
  }
}

export interface RecordFields {
  name: string;
  type: number;
  /** Class of the record; in an update it says what is to be done. */
  class: number;
  ttlSeconds: number;
  data: Buffer;
}

export function encodeRecord({ name, type, class: dnsClass, ttlSeconds, data }: RecordFields): Buffer {
  const fixed = Buffer.alloc(10);
  fixed.writeUInt16BE(type, 0);
  fixed.writeUInt16BE(dnsClass, 2);
  fixed.writeUInt32BE(ttlSeconds, 4);
  fixed.writeUInt16BE(data.length, 8);
  return Buffer.concat([encodeName(name), fixed, data]);
}

export function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}
