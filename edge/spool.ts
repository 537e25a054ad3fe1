import { DatabaseSync, type StatementSync } from 'node:sqlite';

/** An order on the disk of the restaurant. `sequence` is the order of acceptance. */
export interface SpooledOrder {
  sequence: number;
  orderId: string;
  storeId: string;
  /** The client's bytes. */
  value: Uint8Array;
}

export interface SpoolOptions {
  path: string;
  /** Orders not yet forwarded that the disk may hold before new ones are refused. */
  unsentOrdersMax: number;
}

/** The spool is at its bound: refuse the order, never drop an unsent one. */
export class SpoolFullError extends Error {
  override name = 'SpoolFullError';
}

interface Waiting {
  order: Omit<SpooledOrder, 'sequence'>;
  done: (error: Error | null) => void;
}

/**
 * The durable queue of the edge agent: one SQLite file in WAL mode with synchronous=FULL, so that a committed transaction has been
 * fsynced and survives power loss (https://www.sqlite.org/pragma.html#pragma_synchronous). Orders that arrive in one turn of the event
 * loop share one transaction and so one fsync (group commit).
 */
export class Spool {
  readonly #database: DatabaseSync;
  readonly #insert: StatementSync;
  readonly #unsent: StatementSync;
  readonly #settle: StatementSync;
  readonly #unsentOrdersMax: number;
  #waiting: Waiting[] = [];
  #unsentCount: number;

  constructor({ path, unsentOrdersMax }: SpoolOptions) {
    this.#unsentOrdersMax = unsentOrdersMax;
    this.#database = new DatabaseSync(path);
    this.#database.exec(`
      pragma journal_mode = wal;
      pragma synchronous = full;
      create table if not exists spool (
        sequence integer primary key autoincrement,
        order_id text not null unique,
        store_id text not null,
        value blob not null,
        accepted_at integer not null,
        settled_at integer,
        problem text
      );
      create index if not exists spool_unsent on spool (sequence) where settled_at is null;
    `);
    this.#insert = this.#database.prepare(
      'insert into spool (order_id, store_id, value, accepted_at) values (?, ?, ?, ?) on conflict (order_id) do nothing',
    );
    this.#unsent = this.#database.prepare(
      'select sequence, order_id as orderId, store_id as storeId, value from spool where settled_at is null order by sequence limit ?',
    );
    this.#settle = this.#database.prepare(
      'update spool set settled_at = ?, problem = ? where sequence = ? and settled_at is null',
    );
    const { count } = this.#database.prepare('select count(*) as count from spool where settled_at is null').get() as {
      count: number;
    };
    this.#unsentCount = count;
  }

  /** Orders that the region does not have yet. */
  get unsentCount(): number {
    return this.#unsentCount;
  }

  get isFull(): boolean {
    return this.#unsentCount + this.#waiting.length >= this.#unsentOrdersMax;
  }

  /** Calls `done(null)` once the order is fsynced; the same orderId again is the same success. */
  append(order: Omit<SpooledOrder, 'sequence'>, done: (error: Error | null) => void): void {
    if (this.isFull) {
      setImmediate(done, new SpoolFullError(`the spool holds ${this.#unsentCount} unsent orders, its bound`));
      return;
    }
    this.#waiting.push({ order, done });
    if (this.#waiting.length === 1) setImmediate(() => this.#commit());
  }

  /** The oldest orders that the region does not have yet. */
  unsent(limit: number): SpooledOrder[] {
    return this.#unsent.all(limit) as unknown as SpooledOrder[];
  }

  /** The region has answered for these for good: accepted, or refused with a problem that a repeat would not change. */
  settle(results: readonly { sequence: number; problem?: string }[], now: number): void {
    this.#transaction(() => {
      for (const { sequence, problem } of results) {
        const { changes } = this.#settle.run(now, problem ?? null, sequence);
        this.#unsentCount -= Number(changes);
      }
    });
  }

  /** Commits what waits, then closes the file. */
  close(): void {
    this.#commit();
    this.#database.close();
  }

  #commit(): void {
    const group = this.#waiting;
    if (group.length === 0) return;
    this.#waiting = [];
    let failure: Error | null = null;
    let inserted = 0;
    try {
      this.#transaction(() => {
        const now = Date.now();
        for (const { order } of group) {
          inserted += Number(this.#insert.run(order.orderId, order.storeId, order.value, now).changes);
        }
      });
      this.#unsentCount += inserted;
    } catch (error) {
      failure = error as Error;
    }
    for (const { done } of group) done(failure);
  }

  #transaction(work: () => void): void {
    this.#database.exec('begin immediate');
    try {
      work();
      this.#database.exec('commit');
    } catch (error) {
      this.#database.exec('rollback');
      throw error;
    }
  }
}
