// Knows how much room the spool has, and makes room. Used by spool.ts.

import { statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { states } from './order.ts';

/** Bytes of a row beside those of the order, with its index entries and its share of half empty pages; measured, rounded up. */
const ROW_BYTES = 400;
/** This many confirmed orders are dropped at a time when room is needed. */
const DROP_ORDERS = 200;

/**
 * The room that the spool may take: its quota, and what is left of the disk. Pages that became free inside the file count as room, since
 * SQLite uses them again.
 */
export class Room {
  readonly #path: string;
  readonly #bytesMax: number;
  readonly #diskFreeMin: number;
  readonly #pageCount: StatementSync;
  readonly #freePages: StatementSync;
  readonly #oldestConfirmed: StatementSync;
  readonly #delete: StatementSync;
  readonly #checkpoint: StatementSync;
  readonly #pageBytes: number;

  constructor(database: DatabaseSync, limits: { path: string; bytesMax: number; diskFreeMin: number }) {
    this.#path = limits.path;
    this.#bytesMax = limits.bytesMax;
    this.#diskFreeMin = limits.diskFreeMin;
    this.#pageCount = database.prepare('pragma page_count');
    this.#freePages = database.prepare('pragma freelist_count');
    this.#pageBytes = Number(database.prepare('pragma page_size').get()?.page_size);
    this.#oldestConfirmed = database.prepare(
      `select sequence from orders indexed by orders_confirmed where state = ${states.confirmed} order by region, sequence limit ${DROP_ORDERS}`,
    );
    this.#checkpoint = database.prepare('pragma wal_checkpoint(passive)');
    this.#delete = database.prepare(`delete from orders where sequence = ? and state = ${states.confirmed}`);
  }

  /** Bytes in use. */
  bytes(): number {
    return (Number(this.#pageCount.get()?.page_count) - this.#freeCount()) * this.#pageBytes;
  }

  diskFree(): number {
    const { bavail, bsize } = statfsSync(dirname(this.#path));
    return bavail * bsize;
  }

  /** Why there is no room for orders of this many bytes; `undefined` while there is room. */
  shortage(bytes: number, orders: number): string | undefined {
    const wanted = bytes + orders * ROW_BYTES;
    if (this.bytes() + wanted > this.#bytesMax) return `the spool has reached its quota of ${this.#bytesMax} bytes`;
    // An order is in the log first and in the file later, so it needs its bytes twice, except in space that is allocated already.
    const inFile = this.#owed() + Math.max(0, wanted - this.#freeCount() * this.#pageBytes);
    const growth = inFile + Math.max(0, wanted - sizeOf(`${this.#path}-wal`));
    if (growth > 0 && this.diskFree() - growth < this.#diskFreeMin)
      return `the disk has ${this.diskFree()} bytes free; ${this.#diskFreeMin} are to stay free`;
    return undefined;
  }

  /** Drops the oldest confirmed orders until there is room, in the transaction of the caller. */
  make(bytes: number, orders: number): { shortage: string | null; dropped: number } {
    let dropped = 0;
    for (;;) {
      const shortage = this.shortage(bytes, orders);
      if (shortage === undefined) return { shortage: null, dropped };
      const oldest = this.#oldestConfirmed.all().map(({ sequence }) => Number(sequence));
      if (oldest.length === 0) return { shortage, dropped };
      dropped += this.drop(oldest);
    }
  }

  /** Checkpoints the log into the file, which frees the bytes counted for the log. @returns whether there was anything to checkpoint */
  writeBack(): boolean {
    if (this.#owed() === 0) return false;
    this.#checkpoint.get();
    return true;
  }

  drop(sequences: readonly number[]): number {
    let dropped = 0;
    for (const sequence of sequences) dropped += Number(this.#delete.run(sequence).changes);
    return dropped;
  }

  /** Bytes by which the file will grow when the log is written back. */
  #owed(): number {
    const size = Number(this.#pageCount.get()?.page_count) * this.#pageBytes;
    return Math.max(0, size - sizeOf(this.#path));
  }

  #freeCount(): number {
    return Number(this.#freePages.get()?.freelist_count);
  }
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
