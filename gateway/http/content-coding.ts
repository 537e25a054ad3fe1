// Unpacks compressed request bodies. Called by order-routes.ts.

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

/** Bodies that are unpacked at once: each needs a window of up to 16 MiB besides its output. Further bodies wait; the admission counts their bytes. */
const UNPACKINGS_MAX = 8;
let unpackings = 0;
const waiting: (() => void)[] = [];

/**
 * The body behind a `Content-Encoding`, of at most `bytesMax` bytes.
 * @throws UnpackError for bytes that are not of this coding, and for more than `bytesMax` bytes, which are never unpacked.
 */
export async function unpack(coding: string, packed: Buffer, bytesMax: number): Promise<Buffer> {
  const inflate = inflates[coding];
  if (inflate === undefined) throw new TypeError(`${coding} is not one of ${acceptedCodings.join(', ')}`);
  if (unpackings >= UNPACKINGS_MAX) await new Promise<void>((resolve) => waiting.push(resolve));
  else unpackings++;
  try {
    return await inflate(packed, { maxOutputLength: bytesMax });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE')
      throw new UnpackError('body-too-large', `the unpacked body has more than ${bytesMax} bytes`);
    throw new UnpackError('malformed-body', `the body is not valid ${coding}: ${(error as Error).message}`);
  } finally {
    // The next body takes this place at once, before another caller can.
    const next = waiting.shift();
    if (next === undefined) unpackings--;
    else next();
  }
}
