import { closeSync, existsSync, fsyncSync, openSync, rmSync, writeSync } from 'node:fs';

/**
 * A file that takes up room which the spool will need when the disk is full: what the region has confirmed must be written down, or it
 * would be sent again for ever and never make room. It is given up then, and made again when there is space.
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

  /** @returns whether there was something to give up. */
  release(): boolean {
    if (!this.isThere) return false;
    rmSync(this.#file, { force: true });
    return true;
  }

  /** Real blocks, because a sparse file would hold no room. Without space for all of it there is none. */
  restore(): void {
    const handle = openSync(this.#file, 'w');
    try {
      const block = Buffer.alloc(64 * 1_024, 0x20);
      for (let written = 0; written < this.bytes; written += block.length) writeSync(handle, block);
      fsyncSync(handle);
    } catch {
      // No room for it yet: `counts` tries again when there is.
      rmSync(this.#file, { force: true });
    } finally {
      closeSync(handle);
    }
  }
}
