// Watches files, and reads them again when they change. Used for keys, revoked tokens and TLS.

import type { Logger } from '../logger.ts';
import { stateEnded } from '../state-log.ts';
import { type FileReads, fileReads, LOOK_MS_MAX } from './file-reads.ts';

/** The file is checked this often. Polling notices a file that is replaced by a rename or a link; the watchers of the operating system miss that. */
const POLL_MS = 1_000;

export interface WatchedFileOptions {
  /** Usually one file. Several files are read together: when one has changed, all are read again. */
  files: readonly string[];
  /** What the files contain, for the log. */
  what: string;
  /** Takes the text of each file, at start and whenever one has changed. @throws for a text that is not valid: then the texts taken before remain in force */
  take(...texts: string[]): void;
  logger?: Logger | undefined;
  /** In tests: a file system that hangs. */
  reads?: FileReads;
}

export interface WatchedFile {
  /** Why the files cannot be read; `undefined` while they can. */
  trouble(): string | undefined;
  close(): void;
}

/**
 * Reads files again when they change, also when a symbolic link is swapped, as Kubernetes does it. A change is taken when two looks have seen the same
 * version, so that a file that is emptied first and then written is not taken empty. While a file cannot be read, each look tries again, and the texts taken
 * before remain in force.
 * @throws when a file cannot be read at start
 */
export async function watchFileText(options: WatchedFileOptions): Promise<WatchedFile> {
  const { files, what, take, logger, reads = fileReads } = options;
  const limit = new LookLimit();
  let taken = '';
  let seen = '';
  let trouble: string | undefined;
  let running = false;

  /** @returns whether the files now have the texts that are in force */
  async function read(isLate: () => boolean, isFirst = false): Promise<boolean> {
    // The version is read before the text, so that the next look notices a change in between.
    const version = (await inSequence(files, reads.versionOf)).join();
    if (version === taken && trouble === undefined) return true;
    if (version !== seen && !isFirst) {
      if (!isLate()) seen = version;
      return false;
    }
    const texts = await inSequence(files, reads.textOf);
    if (!isFirst && (await inSequence(files, reads.versionOf)).join() !== version) return false;
    // A later look may have taken a newer text.
    if (isLate()) return false;
    take(...texts);
    seen = version;
    taken = version;
    return true;
  }

  async function areReachable(): Promise<boolean> {
    for (const file of files) if (!(await reads.isReachable(file))) return false;
    return true;
  }

  function failed(error: Error): void {
    if (trouble === undefined)
      logger?.warn({ err: error, files }, `${what} cannot be read; what was read before counts`);
    trouble = `${what} cannot be read: ${error.message}`;
  }

  async function look(): Promise<void> {
    if (running) return;
    running = true;
    try {
      // A look that hangs has failed already, and its trouble lasts until a later look succeeds.
      if (limit.hanging > 0 && !(await areReachable())) return;
      const isTaken = await limit.run(read);
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

  await limit.run((isLate) => read(isLate, true));
  const timer = setInterval(() => void look(), POLL_MS).unref();
  return { trouble: () => trouble, close: () => clearInterval(timer) };
}

/** One file after the other, so that files that hang hold one thread and not several. */
async function inSequence<T>(files: readonly string[], ask: (file: string) => Promise<T>): Promise<T[]> {
  const answers: T[] = [];
  for (const file of files) answers.push(await ask(file));
  return answers;
}

/** Limits the time of a look at a file, and counts the looks that still hang. */
class LookLimit {
  /** Looks that are late and have not ended. Each holds a thread of libuv's pool, which has four threads and also serves DNS and cryptography. */
  hanging = 0;

  /** Rejects when the work takes too long. The work then continues, and `isLate` returns true to it. */
  run<T>(work: (isLate: () => boolean) => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      let late = false;
      const timer = setTimeout(() => {
        late = true;
        this.hanging++;
        reject(new Error(`it was not read within ${LOOK_MS_MAX / 1_000} s`));
      }, LOOK_MS_MAX);
      work(() => late)
        .then(resolve, reject)
        .finally(() => {
          clearTimeout(timer);
          if (late) this.hanging--;
        });
    });
  }
}
