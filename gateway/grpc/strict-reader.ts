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

/** Reads text as the protocol asks: what is not UTF-8 is refused. protobufjs puts other characters in its place, and takes half a text for a whole one. */
class StrictReader extends BufferReader {
  override string(): string {
    const length = this.uint32();
    const from = this.pos;
    const to = from + length;
    if (to > this.len) throw new RangeError('a text ends behind its message');
    const text = this.buf.toString('utf8', from, to);
    // Nearly no text holds the character that Node puts in place of what is not UTF-8, so the bytes are seldom looked at again.
    if (text.includes(REPLACEMENT) && !isUtf8(this.buf.subarray(from, to)))
      throw new TypeError(`the text ${JSON.stringify(text.slice(0, 40))} is not valid UTF-8`);
    this.pos = to;
    return text;
  }
}

/** A message's bytes for a decoder made by the proto loader, which hands a reader on as it is. */
export function strictReader(bytes: Buffer): Buffer {
  return new StrictReader(bytes) as unknown as Buffer;
}
