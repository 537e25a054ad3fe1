// The spool: the orders of the agent in one SQLite file. Opened by thread.ts.

import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { BatchReader } from './batch-reader.ts';
import { Facts } from './facts.ts';
import { OpenFile } from './open-file.ts';
import {
  type BatchQuery,
  type NewOrder,
  type Outcome,
  type Settlement,
  type SpoolCounts,
  type SpooledBatch,
  type SpooledOrder,
  states,
} from './order.ts';
import { Room } from './room.ts';
import { type RawOrder, spooledOrder } from './row.ts';
import { openSpoolFile } from './schema.ts';
import { isDiskFull } from './sqlite-errors.ts';
import { type Shelf, type ShelfChanges, TicketShelf } from './ticket-shelf.ts';

export interface SpoolOptions {
  path: string;
  /** Orders not yet forwarded that are kept before new ones are refused. */
  unsentOrdersMax: number;
  /** Disk quota. */
  bytesMax: number;
  /** Free bytes to leave on the disk. */
  diskFreeMin: number;
  /** How long confirmed orders are kept, in milliseconds of running time. */
  replayWindowMs: number;
  /** Milliseconds that only ever go forward, as `performance.now()`. */
  monotonic?: () => number;
}

/** The spool is at its bound: the order is refused, because an unsent one is never dropped. */
export class SpoolFullError extends Error {
  override name = 'SpoolFullError';
}

/** At most this many confirmed orders are checked in one go when old ones are dropped, so that a commit does not wait for longer. */
const PRUNE_ORDERS = 500;
/** A power loss loses at most this much running time, so confirmed orders only stay a little longer. */
const PERSIST_MS = 10_000;
const USUAL_BYTES = 2_000;

/**
 * The durable queue of the edge agent: one SQLite file. When `commit` returns, its orders are fsynced and survive a power loss.
 *
 * Age is counted in running time: the time that agents have had this file open, kept in the file. A clock that jumps, a machine without a
 * clock of its own and a restaurant that is closed at night therefore neither shorten nor lengthen the replay window.
 */
export class Spool {
  readonly #options: SpoolOptions;
  readonly #database: DatabaseSync;
  readonly #file: OpenFile;
  readonly #facts: Facts;
  readonly #room: Room;
  readonly #reader: BatchReader;
  readonly #shelf: TicketShelf;
  readonly #insert: StatementSync;
  readonly #contentOf: StatementSync;
  readonly #confirm: StatementSync;
  readonly #refuse: StatementSync;
  readonly #find: StatementSync;
  readonly #oldestUnsent: StatementSync;
  readonly #version: StatementSync;
  readonly #monotonic: () => number;
  readonly #openedAt: number;
  readonly #runMsBefore: number;
  #seenVersion = 0;
  #counts = { unsent: 0, refused: 0, confirmed: 0 };
  #persistedMs = 0;

  constructor(options: SpoolOptions) {
    this.#options = options;
    this.#monotonic = options.monotonic ?? (() => performance.now());
    const database = openSpoolFile(options.path);
    this.#database = database;
    this.#facts = new Facts(database);
    this.#room = new Room(database, options);
    this.#reader = new BatchReader(database);
    this.#shelf = new TicketShelf(database);
    this.#insert = database.prepare(
      'insert into orders (order_id, store_id, lane, content, accepted_at, value) values (?, ?, ?, ?, ?, ?) on conflict (order_id) do nothing',
    );
    this.#contentOf = database.prepare('select content from orders where order_id = ?');
    this.#confirm = database.prepare(
      `update orders set state = ${states.confirmed}, region = ?, settled_at = ?, problem = null where sequence = ? and state = ?`,
    );
    this.#refuse = database.prepare(
      `update orders set state = ${states.refused}, region = ?, settled_at = ?, problem = ? where sequence = ? and state = ?`,
    );
    this.#find = database.prepare(
      'select o.*, r.name as region_name from orders o left join regions r on r.id = o.region where order_id = ?',
    );
    this.#oldestUnsent = database.prepare(
      `select min(accepted_at) as oldest from (select accepted_at from orders where state = ${states.unsent} and lane = 0 order by sequence limit 1)
       union all select accepted_at from (select accepted_at from orders where state = ${states.unsent} and lane = 1 order by sequence limit 1)`,
    );
    this.#version = database.prepare('pragma data_version');
    this.#openedAt = this.#monotonic();
    this.#runMsBefore = Number(this.#facts.get('run_ms') ?? 0);
    this.#noticeOthers();
    // After the first read the log exists.
    this.#file = new OpenFile(options.path);
  }

  /**
   * One transaction, and so one fsync, for all orders and settlements that wait. Settlements make room for the orders.
   * @throws SpoolFullError when the orders were not kept; the settlements are kept nevertheless. With any other error nothing was kept.
   */
  commit(orders: readonly NewOrder[], settlements: readonly Settlement[]): Outcome[] {
    this.#noticeOthers();
    const before = { ...this.#counts };
    let outcomes: Outcome[] = [];
    let full: string | null = null;
    try {
      this.#transaction(() => {
        for (const settlement of settlements) this.#settle(settlement);
        if (orders.length > 0) full = this.#makeRoom(orders);
        if (full === null) outcomes = orders.map((order) => this.#keep(order));
        if (this.#isRunningTimeDue) this.#persistRunningTime();
      });
    } catch (error) {
      this.#counts = before;
      throw error;
    }
    if (full !== null) throw new SpoolFullError(full);
    return outcomes;
  }

  /** The next orders to send. At least one if there is any, even when it is larger than the limit. */
  batch(query: BatchQuery): SpooledBatch {
    this.#noticeOthers();
    const region = query.region === undefined ? undefined : this.#facts.regionId(query.region);
    return this.#reader.read(query, region, this.#runMs() - this.#options.replayWindowMs);
  }

  /** Checkpoints and truncates the WAL. @returns whether that may have made room */
  writeBack(): boolean {
    if (this.#file.change() !== undefined) return false;
    try {
      return this.#room.writeBack();
    } catch (error) {
      if (isDiskFull(error)) return false;
      throw error;
    }
  }

  /** Drops confirmed orders that are older than the replay window, some at a time. @returns how many went */
  prune(): number {
    this.#noticeOthers();
    const before = this.#runMs() - this.#options.replayWindowMs;
    const expired = this.#reader.expired(before, PRUNE_ORDERS);
    if (expired.length === 0 && !this.#isRunningTimeDue) return 0;
    this.#transaction(() => {
      this.#room.drop(expired);
      this.#persistRunningTime();
    });
    this.#counts.confirmed -= expired.length;
    return expired.length;
  }

  find(orderId: string): SpooledOrder | undefined {
    const row = this.#find.get(orderId) as unknown as RawOrder | undefined;
    return row === undefined ? undefined : spooledOrder(row);
  }

  counts(): SpoolCounts {
    this.#noticeOthers();
    const region = this.#facts.get('region');
    const oldest = this.#oldestUnsent.all().flatMap(({ oldest }) => (oldest === null ? [] : [Number(oldest)]));
    return {
      ...this.#counts,
      replaying:
        region === undefined
          ? 0
          : this.#reader.replaying(this.#facts.regionId(region), this.#runMs() - this.#options.replayWindowMs),
      bytes: this.#room.bytes(),
      bytesMax: this.#options.bytesMax,
      diskFree: this.#room.diskFree(),
      oldestUnsentAt: oldest.length === 0 ? null : Math.min(...oldest),
      full: this.#shortage(),
      damage: this.#facts.get('damage') ?? null,
      lossOpen: this.#facts.get('loss_open') !== undefined,
      region: region ?? null,
    };
  }

  /** The agent has reached a region: orders that another region has confirmed are to be sent again, also after a power loss. */
  reached(region: string): void {
    this.#transaction(() => this.#facts.set('region', region));
  }

  /** A test write. @throws the error of the write, except for a full disk, which `counts` reports */
  probe(): void {
    this.#persistNow();
  }

  /** Keeps the store's own board. */
  keepTickets(changes: ShelfChanges): void {
    this.#transaction(() => this.#shelf.change(changes));
  }

  tickets(unsentMax: number): Shelf {
    return this.#shelf.read(unsentMax);
  }

  close(): void {
    this.#persistNow();
    this.#database.close();
  }

  #persistNow(): void {
    try {
      this.#transaction(() => this.#persistRunningTime());
    } catch (error) {
      // On a full disk the running time stays that of the last commit.
      if (!isDiskFull(error)) throw error;
    }
  }

  get #isRunningTimeDue(): boolean {
    return this.#monotonic() - this.#persistedMs > PERSIST_MS;
  }

  #runMs(): number {
    return Math.floor(this.#runMsBefore + this.#monotonic() - this.#openedAt);
  }

  #persistRunningTime(): void {
    this.#persistedMs = this.#monotonic();
    this.#facts.set('run_ms', this.#runMs());
  }

  #keep({ orderId, storeId, lane, content, acceptedAt, value }: NewOrder): Outcome {
    if (Number(this.#insert.run(orderId, storeId, lane, content, acceptedAt, value).changes) > 0) {
      this.#counts.unsent++;
      return 'kept';
    }
    return this.#contentOf.get(orderId)?.content === content ? 'known' : 'conflict';
  }

  #settle({ sequence, region, problem }: Settlement): void {
    const id = this.#facts.regionId(region);
    const now = this.#runMs();
    for (const [from, name] of [
      [states.unsent, 'unsent'],
      [states.confirmed, 'confirmed'],
    ] as const) {
      const { changes } =
        problem === undefined
          ? this.#confirm.run(id, now, sequence, from)
          : this.#refuse.run(id, now, problem, sequence, from);
      if (Number(changes) === 0) continue;
      this.#counts[name]--;
      this.#counts[problem === undefined ? 'confirmed' : 'refused']++;
      return;
    }
  }

  /** @returns why there is no room, or `null` when there is room for these orders. */
  #makeRoom(orders: readonly NewOrder[]): string | null {
    const change = this.#file.change();
    if (change !== undefined) return change;
    if (this.#counts.unsent + orders.length > this.#options.unsentOrdersMax) return this.#tooMany();
    let wanted = 0;
    for (const { value } of orders) wanted += value.length;
    const { shortage, dropped } = this.#room.make(wanted, orders.length);
    this.#counts.confirmed -= dropped;
    return shortage;
  }

  /** Why an order of usual size would be refused; `null` when it would be taken. */
  #shortage(): string | null {
    const { unsentOrdersMax } = this.#options;
    const change = this.#file.change();
    if (change !== undefined) return change;
    if (this.#counts.unsent >= unsentOrdersMax) return this.#tooMany();
    return this.#counts.confirmed > 0 ? null : (this.#room.shortage(USUAL_BYTES, 1) ?? null);
  }

  #tooMany(): string {
    return `${this.#counts.unsent} orders wait for the region; the bound is ${this.#options.unsentOrdersMax}`;
  }

  /** A command of an operator has changed the file. */
  #noticeOthers(): void {
    const version = Number(this.#version.get()?.data_version);
    if (version === this.#seenVersion) return;
    this.#seenVersion = version;
    this.#counts = this.#reader.count();
  }

  #transaction(work: () => void): void {
    this.#database.exec('begin immediate');
    try {
      work();
      this.#database.exec('commit');
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('rollback');
      throw error;
    }
  }
}
