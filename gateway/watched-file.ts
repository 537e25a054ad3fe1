import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import type { Logger } from '../telemetry/logger.ts';
import { stateEnded } from '../telemetry/state-log.ts';

/** The file is looked at this often. Polling sees a file that is replaced by a rename or a link, which watching misses. */
const POLL_MS = 1_000;
/** A look that takes longer has failed: the mount hangs, and whether it ever answers is not known. */
const LOOK_MS_MAX = 5_000;

export interface WatchedFileOptions {
  /** Usually one; several are read together, and a change of one is a change of all. */
  files: readonly string[];
  /** What is in it, for the log. */
  what: string;
  /** Takes the text of each, at start and whenever one has changed. @throws for a text that is not what it takes: what was read before counts */
  take(...texts: string[]): void;
  logger?: Logger | undefined;
  /** In tests: a file system that hangs. */
  reads?: FileReads;
}

interface FileReads {
  versionOf(file: string): Promise<string>;
  textOf(file: string): Promise<string>;
  isReachable(file: string): Promise<boolean>;
}

export interface WatchedFile {
  /** Why it cannot be read; `undefined` while it can. */
  trouble(): string | undefined;
  close(): void;
}

/**
 * A file that is read again when it changes, also by the swap of a symbolic link as Kubernetes does it. A change is taken when two looks have seen the
 * same: a file that is emptied first and then written is not taken empty. While it can't be read, it is tried again at every look, and what was read
 * before counts.
 * @throws when it can't be read at start
 */
export async function watchFileText({
  files,
  what,
  take,
  logger,
  reads = { versionOf, textOf, isReachable },
}: WatchedFileOptions): Promise<WatchedFile> {
  let taken = '';
  let seen = '';
  let trouble: string | undefined;
  let running = false;
  /** Looks that are late and have not come back: each holds a thread of libuv's pool, which has four and serves DNS and cryptography too. */
  let hanging = 0;

  async function versionNow(): Promise<string> {
    const versions: string[] = [];
    for (const file of files) versions.push(await reads.versionOf(file));
    return versions.join();
  }

  async function areReachable(): Promise<boolean> {
    for (const file of files) if (!(await reads.isReachable(file))) return false;
    return true;
  }

  /** @returns whether what is in force now is what the file has */
  async function read(isLate: () => boolean, isFirst = false): Promise<boolean> {
    // Before the text, so that a change in between is seen at the next look.
    const version = await versionNow();
    if (version === taken && trouble === undefined) return true;
    if (version !== seen && !isFirst) {
      if (!isLate()) seen = version;
      return false;
    }
    // One after the other: where they hang, they hold one thread.
    const texts: string[] = [];
    for (const file of files) texts.push(await reads.textOf(file));
    if (!isFirst && (await versionNow()) !== version) return false;
    // A later look may have taken a newer text.
    if (isLate()) return false;
    take(...texts);
    seen = version;
    taken = version;
    return true;
  }

  function failed(error: Error): void {
    if (trouble === undefined)
      logger?.warn({ err: error, files }, `${what} cannot be read; what was read before counts`);
    trouble = `${what} cannot be read: ${error.message}`;
  }

  /** Rejects when the work takes too long. The work goes on then, and is told that it is late. */
  function inTime<T>(work: (isLate: () => boolean) => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      let late = false;
      const timer = setTimeout(() => {
        late = true;
        hanging += 1;
        reject(new Error(`it was not read within ${LOOK_MS_MAX / 1_000} s`));
      }, LOOK_MS_MAX);
      work(() => late)
        .then(resolve, reject)
        .finally(() => {
          clearTimeout(timer);
          if (late) hanging -= 1;
        });
    });
  }

  async function look(): Promise<void> {
    if (running) return;
    running = true;
    try {
      if (hanging > 0 && !(await areReachable())) return;
      const isTaken = await inTime(read);
      if (isTaken && trouble !== undefined) {
        trouble = undefined;
        logger?.info({ files, ...stateEnded }, `${what} can be read again`);
      }
    } catch (error) {
      failed(error as Error);
    } finally {
      running = false;
    }
  }

  await inTime((isLate) => read(isLate, true));
  const timer = setInterval(() => void look(), POLL_MS).unref();
  return { trouble: () => trouble, close: () => clearInterval(timer) };
}

/** Asked in a process of its own, which is killed when it hangs, where a thread of this process would be lost. */
function isReachable(file: string): Promise<boolean> {
  const args = ['-e', 'require("node:fs").statSync(process.argv[1])', file];
  const options = { timeout: LOOK_MS_MAX, killSignal: 'SIGKILL' } as const;
  // Why not is known: the look that hangs has said so.
  return new Promise((resolve) => execFile(process.execPath, args, options, (error) => resolve(error === null)));
}

async function versionOf(file: string): Promise<string> {
  const { ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true });
  return [ino, size, mtimeNs, ctimeNs].join(' ');
}

/** A pipe is opened without waiting for its writer, and refused: it would hang, and has no text to read twice. */
async function textOf(file: string): Promise<string> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if (!(await handle.stat()).isFile()) throw new Error(`${file} is not a regular file`);
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
}
