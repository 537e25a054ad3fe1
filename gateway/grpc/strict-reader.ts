// Makes protobufjs refuse text that is not UTF-8. Used by messages.ts.

import { isUtf8 } from 'node:buffer';
import { createRequire } from 'node:module';

interface Reader {
  buf: Buffer;
  pos: number;
  len: number;
  uint32(): number;
  string(): string;
}

// The runtime of the library that the proto loader stands on; the decoders know a reader by its class.
const { BufferReader } = createRequire(import.meta.url)('protobufjs/minimal') as {
  BufferReader: new (bytes: Buffer) => Reader;
};

const REPLACEMENT = '\ufffd';

/** Refuses text that is not UTF-8, as the protocol requires. protobufjs replaces invalid bytes, and accepts a text that is cut off. */
class StrictReader extends BufferReader {
  override string(): string {
    const length = this.uint32();
    const from = this.pos;
    const to = from + length;
    if (to > this.len) throw new RangeError('a text ends behind its message');
    const text = this.buf.toString('utf8', from, to);
    // Node decodes invalid bytes as U+FFFD. Few valid texts contain that character, so the bytes are rarely checked.
    if (text.includes(REPLACEMENT) && !isUtf8(this.buf.subarray(from, to)))
      throw new TypeError(`the text ${JSON.stringify(text.slice(0, 40))} is not valid UTF-8`);
    this.pos = to;
    return text;
  }
}

/** The bytes of a message, for a decoder of the proto loader: protobufjs uses a reader that it gets as it is. */
export function strictReader(bytes: Buffer): Buffer {
  return new StrictReader(bytes) as unknown as Buffer;
}
