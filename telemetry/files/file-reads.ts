// Reads of watched files, made so that a mount that hangs is noticed. Used by watched-file.ts.

import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { open, stat } from 'node:fs/promises';

/** A look at a file that takes longer has failed: the mount hangs, and may never answer. */
export const LOOK_MS_MAX = 5_000;

/** The requests that a file watch makes to the file system; a test gives another implementation. */
export interface FileReads {
  /** A text that changes when the file is changed or replaced. */
  versionOf(file: string): Promise<string>;
  textOf(file: string): Promise<string>;
  /** Whether the file system answers, asked without a thread of this process. */
  isReachable(file: string): Promise<boolean>;
}

export const fileReads: FileReads = { versionOf, textOf, isReachable };

/** Asks in a process of its own, which can be killed when it hangs. A thread of this process would be lost. */
function isReachable(file: string): Promise<boolean> {
  const args = ['-e', 'require("node:fs").statSync(process.argv[1])', file];
  const options = { timeout: LOOK_MS_MAX, killSignal: 'SIGKILL' } as const;
  // The reason of an error is not needed: the look that hangs has reported its trouble.
  return new Promise((resolve) => execFile(process.execPath, args, options, (error) => resolve(error === null)));
}

async function versionOf(file: string): Promise<string> {
  const { ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true });
  return [ino, size, mtimeNs, ctimeNs].join(' ');
}

/** Opens a pipe without waiting for its writer, and refuses the pipe: a read of it would hang, and its text cannot be read twice. */
async function textOf(file: string): Promise<string> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if (!(await handle.stat()).isFile()) throw new Error(`${file} is not a regular file`);
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
}
