// Packs the records of a batch into one buffer that a thread can take over. Used by the bare loops.

export function pack(records: readonly { key: Buffer | null; value: Buffer | null }[]): ArrayBuffer {
  let size = 0;
  for (const { key, value } of records) size += 8 + (key?.length ?? 0) + (value?.length ?? 0);
  const buffer = new ArrayBuffer(size);
  const bytes = Buffer.from(buffer);
  let at = 0;
  for (const { key, value } of records) {
    at = bytes.writeUInt32LE(key?.length ?? 0, at);
    at = bytes.writeUInt32LE(value?.length ?? 0, at);
    at += key?.copy(bytes, at) ?? 0;
    at += value?.copy(bytes, at) ?? 0;
  }
  return buffer;
}

/** Calls `onRecord` with each key, a view into the buffer, and each value as text. */
export function eachPacked(buffer: ArrayBuffer, onRecord: (key: Buffer, value: string) => void): void {
  const bytes = Buffer.from(buffer);
  let at = 0;
  while (at < bytes.length) {
    const keyLength = bytes.readUInt32LE(at);
    const valueLength = bytes.readUInt32LE(at + 4);
    at += 8;
    const key = bytes.subarray(at, at + keyLength);
    at += keyLength;
    onRecord(key, bytes.toString('utf8', at, at + valueLength));
    at += valueLength;
  }
}
