import { type BigIntStats, statSync } from 'node:fs';

/**
 * Whether the names of the spool's files still lead to the files that this process has open. A file that was removed or swapped takes writes as
 * before and is gone with the process, so nothing may be promised on it.
 */
export class OpenFile {
  readonly #path: string;
  readonly #opened: ReadonlyMap<string, BigIntStats | undefined>;

  /** @param path of a database that is open in WAL mode and was read, so that its log is there. */
  constructor(path: string) {
    this.#path = path;
    this.#opened = new Map([path, `${path}-wal`].map((file) => [file, statOf(file)]));
  }

  /** What has become of the files, and what to do; `undefined` while they are the same. */
  change(): string | undefined {
    for (const [file, before] of this.#opened) {
      const now = statOf(file);
      const isSame = now !== undefined && now.ino === before?.ino && now.dev === before.dev;
      if (isSame && (file !== this.#path || now.size > 0n)) continue;
      const what = now === undefined ? 'gone' : isSame ? 'emptied' : 'another one';
      return `the file of the spool ${file} is ${what}; the agent still sends the orders that it has: wait until none waits, then put the file back or restart the agent`;
    }
    return undefined;
  }
}

function statOf(file: string): BigIntStats | undefined {
  return statSync(file, { bigint: true, throwIfNoEntry: false });
}
