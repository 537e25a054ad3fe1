import { createReadStream } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { UsageError } from './failure.ts';

/** The text of a file that the command line names. @throws UsageError saying in plain words why it cannot be read */
export async function readInputFile(file: string): Promise<string> {
  return await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(reasonOf(file, error));
  });
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
