/** Record headers in a JSON column: text by name, so that people can read and query them; base64 if the bytes are no text. */
export type StoredHeaders = Record<string, string | { base64: string }>;

export function headersToStore(headers: Readonly<Record<string, Buffer>>): StoredHeaders {
  return Object.fromEntries(
    Object.entries(headers).map(([name, bytes]) => {
      const text = bytes.toString();
      return [name, Buffer.from(text).equals(bytes) ? text : { base64: bytes.toString('base64') }];
    }),
  );
}

export function headersOfStore(stored: StoredHeaders): Record<string, Buffer> {
  return Object.fromEntries(
    Object.entries(stored).map(([name, value]) => [
      name,
      typeof value === 'string' ? Buffer.from(value) : Buffer.from(value.base64, 'base64'),
    ]),
  );
}
