import { closeSync, existsSync, fsyncSync, openSync, rmSync, writeSync } from 'node:fs';

/**
 * A file that reserves room for the spool. When the disk is full, the file is deleted, so that the spool can still write the region's confirmations:
 * otherwise the agent would send those orders for ever and never make room. The file is written again when the disk has space.
 */
export class Ballast {
  readonly bytes: number;
  readonly #file: string;

  constructor(file: string, bytes: number) {
    this.#file = file;
    this.bytes = bytes;
  }

  get isThere(): boolean {
    return existsSync(this.#file);
  }

  /** @returns whether there was a file to delete. */
  release(): boolean {
    if (!this.isThere) return false;
    rmSync(this.#file, { force: true });
    return true;
  }

  /** Writes real blocks, because a sparse file would reserve nothing. Without space for the whole file there is no file. */
  restore(): void {
    const handle = openSync(this.#file, 'w');
    try {
      const block = Buffer.alloc(64 * 1_024, 0x20);
      for (let written = 0; written < this.bytes; written += block.length) writeSync(handle, block);
      fsyncSync(handle);
    } catch {
      // No room after all. The next `counts` tries again, so nothing has to be logged.
      rmSync(this.#file, { force: true });
    } finally {
      closeSync(handle);
    }
  }
}
