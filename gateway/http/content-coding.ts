import { promisify } from 'node:util';
import { brotliDecompress, gunzip } from 'node:zlib';

/** Why a packed body cannot be read; `code` is that of the problem. */
export class UnpackError extends Error {
  override name = 'UnpackError';
  readonly code: 'malformed-body' | 'body-too-large';

  constructor(code: UnpackError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

/** Inflates on libuv's threads, a piece at a time, and ends as soon as there is more than `maxOutputLength`. */
type Inflate = (bytes: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>;

const inflates: Readonly<Record<string, Inflate>> = { gzip: promisify(gunzip), br: promisify(brotliDecompress) };

/** `Content-Encoding` of request bodies that are taken, as an `Accept-Encoding` header names them. */
export const acceptedCodings = Object.keys(inflates);

/** Unpackings at once: each holds a window of up to 16 MiB besides its output. Further ones wait, counted by the admission. */
const UNPACKINGS_MAX = 8;
let underWay = 0;
const waiting: (() => void)[] = [];

/**
 * The body behind a `Content-Encoding`, of at most `bytesMax` bytes.
 * @throws UnpackError for bytes that are none of this coding, and for more than `bytesMax`: what is above it is never unpacked.
 */
export async function unpack(coding: string, packed: Buffer, bytesMax: number): Promise<Buffer> {
  const inflate = inflates[coding];
  if (inflate === undefined) throw new TypeError(`${coding} is none of ${acceptedCodings.join(', ')}`);
  if (underWay >= UNPACKINGS_MAX) await new Promise<void>((resolve) => waiting.push(resolve));
  else underWay += 1;
  try {
    return await inflate(packed, { maxOutputLength: bytesMax });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE')
      throw new UnpackError('body-too-large', `the unpacked body has more than ${bytesMax} bytes`);
    throw new UnpackError('malformed-body', `the body is not valid ${coding}: ${(error as Error).message}`);
  } finally {
    // The place goes to the next one without becoming free in between.
    const next = waiting.shift();
    if (next === undefined) underWay -= 1;
    else next();
  }
}
