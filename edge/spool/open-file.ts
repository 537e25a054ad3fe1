import { type BigIntStats, statSync } from 'node:fs';

/**
 * Whether the paths of the spool still name the files that this process has open. A removed or replaced file still takes writes, and is gone when the
 * process ends, so no order may be accepted into it.
 */
export class OpenFile {
  readonly #path: string;
  readonly #opened: ReadonlyMap<string, BigIntStats | undefined>;

  /** @param path of a database that is open in WAL mode and was read, so that its log exists. */
  constructor(path: string) {
    this.#path = path;
    this.#opened = new Map([path, `${path}-wal`].map((file) => [file, statOf(file)]));
  }

  /** How the files have changed, and what to do; `undefined` while they are the same. */
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
