/** The thread of the bare loop: parses each value of a packed batch. */
// biome-ignore lint/style/noDefaultExport: a worker entry is its module's default.
export default function parseBatch(buffer: ArrayBuffer | null): void {
  if (buffer === null) return;
  const bytes = Buffer.from(buffer);
  let at = 0;
  while (at < bytes.length) {
    const keyLength = bytes.readUInt32LE(at);
    const valueLength = bytes.readUInt32LE(at + 4);
    at += 8;
    bytes.subarray(at, at + keyLength);
    at += keyLength;
    JSON.parse(bytes.toString('utf8', at, at + valueLength));
    at += valueLength;
  }
}
