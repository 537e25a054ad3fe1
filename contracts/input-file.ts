import { isUtf8 } from 'node:buffer';
import { createReadStream } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { UsageError } from './failure.ts';

/**
 * The text of a file that the command line names.
 * @throws UsageError that says in plain words why it can't be read, or that it is not UTF-8
 */
export async function readInputFile(file: string): Promise<string> {
  const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(reasonOf(file, error));
  });
  try {
    return strict.decode(bytes);
  } catch {
    // The decoder's error does not say where the fault is, so it is dropped.
    throw new UsageError(`${file} is no UTF-8 from line ${lineOfFault(bytes)} on; save it as UTF-8`);
  }
}

/** Throws where other decoders replace a wrong byte by U+FFFD, which changes the text. */
const strict = new TextDecoder('utf-8', { fatal: true });

function lineOfFault(bytes: Buffer): number {
  let line = 1;
  for (let start = 0; start < bytes.length; line++) {
    const end = bytes.indexOf(0x0a, start);
    const next = end === -1 ? bytes.length : end + 1;
    if (!isUtf8(bytes.subarray(start, next))) break;
    start = next;
  }
  return line;
}

/** The same as a stream, for a file that may be long. */
export async function openInputFile(file: string): Promise<NodeJS.ReadableStream> {
  try {
    const handle = await open(file);
    // A directory can be opened; only its first read fails.
    const isDirectory = (await handle.stat()).isDirectory();
    await handle.close();
    if (isDirectory) throw Object.assign(new Error('it is a directory'), { code: 'EISDIR' });
  } catch (error) {
    throw new UsageError(reasonOf(file, error as NodeJS.ErrnoException));
  }
  return createReadStream(file);
}

/** The lines of a stream as bytes, without the line feed and a carriage return before it. An empty last line is left out. */
export async function* linesOf(input: AsyncIterable<string | Buffer>): AsyncGenerator<Buffer> {
  let parts: Buffer[] = [];
  const line = () => {
    const whole = Buffer.concat(parts);
    parts = [];
    return whole.at(-1) === 0x0d ? whole.subarray(0, -1) : whole;
  };
  for await (const chunk of input) {
    const bytes = Buffer.from(chunk);
    let start = 0;
    for (let end = bytes.indexOf(0x0a); end !== -1; end = bytes.indexOf(0x0a, start)) {
      parts.push(bytes.subarray(start, end));
      yield line();
      start = end + 1;
    }
    parts.push(bytes.subarray(start));
  }
  const last = line();
  if (last.length > 0) yield last;
}

function reasonOf(file: string, { code, message }: NodeJS.ErrnoException): string {
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return `there is no file ${file}`;
    case 'EISDIR':
      return `${file} is a directory; the command takes a file`;
    case 'EACCES':
    case 'EPERM':
      return `${file} may not be read by this user`;
    default:
      return `${file} cannot be read: ${message}`;
  }
}
