// Reads the next batch of orders from the spool's file. Used by spool.ts.

import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { oneLine } from './one-line.ts';
import { type BatchQuery, lanes, type SpooledBatch, states } from './order.ts';

/** Lane `REPLAY_LANES + id` has the orders that region `id` has confirmed: another region gets them again. */
const REPLAY_LANES = 1_000;
/** Share of a batch that lower lanes get while higher lanes could fill it, so that no order waits for ever. */
const LOWER_SHARE = 1 / 8;

interface Row {
  sequence: number;
  order_id: string;
  value: Uint8Array;
}

/** Reads the next orders to send: lane by lane, in order of acceptance, from where the last batch ended. */
export class BatchReader {
  readonly #unsent: StatementSync;
  readonly #one: StatementSync;
  readonly #confirmed: StatementSync;
  readonly #confirmedRegions: StatementSync;
  readonly #oldest: StatementSync;
  readonly #replaying: StatementSync;
  readonly #count: StatementSync;

  constructor(database: DatabaseSync) {
    this.#unsent = database.prepare(
      `select sequence, order_id, value from orders where state = ${states.unsent} and lane = ? and sequence > ? order by sequence`,
    );
    this.#one = database.prepare(
      `select lane, sequence, order_id, value from orders where state = ${states.unsent} and sequence = ?`,
    );
    this.#confirmed = database.prepare(
      `select sequence, order_id, value from orders where state = ${states.confirmed} and region = ? and sequence > ? and settled_at >= ? order by sequence`,
    );
    this.#confirmedRegions = database.prepare(
      `select id from (select 0 as id union all select id from regions) where exists (select 1 from orders where state = ${states.confirmed} and region = id)`,
    );
    this.#oldest = database.prepare(
      `select sequence, settled_at from orders where state = ${states.confirmed} and region = ? order by sequence limit ?`,
    );
    this.#replaying = database.prepare(
      `select count(*) as count from orders where state = ${states.confirmed} and region = ? and settled_at >= ?`,
    );
    this.#count = database.prepare(
      `select (select count(*) from orders where state = ${states.unsent}) as unsent,
        (select count(*) from orders where state = ${states.refused}) as refused,
        (select count(*) from orders where state = ${states.confirmed}) as confirmed`,
    );
  }

  /**
   * @param region id of the region that is reached now, `undefined` while none was.
   * @param since running time from which on confirmed orders are sent again.
   */
  read(query: BatchQuery, region: number | undefined, since: number): SpooledBatch {
    const { ordersMax, bytesMax, after, except, only } = query;
    if (only !== undefined) return this.#readOne(only);
    const filling = new Filling(ordersMax, bytesMax, new Map(after), new Set(except));
    const reserve = Math.floor(ordersMax * LOWER_SHARE);
    const { urgent, normal } = lanes;
    const replays = region === undefined ? [] : this.#regions().filter((id) => id !== region);
    const take = (lane: number, ordersLeft: number) =>
      filling.take(lane, ordersLeft, (from) => this.#unsent.iterate(lane, from) as Iterable<unknown> as Iterable<Row>);
    take(urgent, ordersMax - 2 * reserve);
    take(normal, ordersMax - filling.orders - (replays.length === 0 ? 0 : reserve));
    for (const id of replays)
      filling.take(
        REPLAY_LANES + id,
        ordersMax - filling.orders,
        (from) => this.#confirmed.iterate(id, from, since) as Iterable<unknown> as Iterable<Row>,
      );
    // The lower lanes did not use all of their share.
    take(urgent, ordersMax - filling.orders);
    take(normal, ordersMax - filling.orders);
    return filling.batch();
  }

  #readOne(sequence: number): SpooledBatch {
    const filling = new Filling(1, 0, new Map(), new Set());
    const row = this.#one.get(sequence) as unknown as (Row & { lane: number }) | undefined;
    if (row !== undefined) filling.take(row.lane, 1, () => [row]);
    return filling.batch();
  }

  /** Confirmed orders from before this running time, the oldest of each region. */
  expired(before: number, ordersMax: number): number[] {
    return this.#regions().flatMap((id) =>
      this.#oldest
        .all(id, ordersMax)
        .filter(({ settled_at }) => Number(settled_at) < before)
        .map(({ sequence }) => Number(sequence)),
    );
  }

  /** Orders to be sent again to this region. */
  replaying(region: number, since: number): number {
    return this.#regions()
      .filter((id) => id !== region)
      .reduce((sum, id) => sum + Number(this.#replaying.get(id, since)?.count), 0);
  }

  count(): { unsent: number; refused: number; confirmed: number } {
    const { unsent, refused, confirmed } = this.#count.get() ?? {};
    return { unsent: Number(unsent), refused: Number(refused), confirmed: Number(confirmed) };
  }

  #regions(): number[] {
    return this.#confirmedRegions.all().map(({ id }) => Number(id));
  }
}

const NEWLINE = Buffer.from('\n');

/** A batch that is being filled. */
class Filling {
  readonly #sequences: number[] = [];
  readonly #orderIds: string[] = [];
  readonly #lanes: number[] = [];
  readonly #lines: Uint8Array[] = [];
  readonly #ordersMax: number;
  readonly #bytesMax: number;
  readonly #after: Map<number, number>;
  readonly #except: ReadonlySet<number>;
  #bytes = 0;
  #isFull = false;

  constructor(ordersMax: number, bytesMax: number, after: Map<number, number>, except: ReadonlySet<number>) {
    this.#ordersMax = ordersMax;
    this.#bytesMax = bytesMax;
    this.#after = after;
    this.#except = except;
  }

  get orders(): number {
    return this.#sequences.length;
  }

  /** Takes up to this many orders of one lane; none after an order that did not fit, so that no order overtakes another of its lane. */
  take(lane: number, orders: number, rows: (after: number) => Iterable<Row>): void {
    if (orders <= 0 || this.#isFull) return;
    let taken = 0;
    for (const { sequence, order_id, value } of rows(this.#after.get(lane) ?? 0)) {
      if (this.#except.has(sequence)) continue;
      if (this.orders > 0 && this.#bytes + value.length + 1 > this.#bytesMax) {
        this.#isFull = true;
        return;
      }
      this.#sequences.push(sequence);
      this.#orderIds.push(order_id);
      this.#lanes.push(lane);
      this.#lines.push(oneLine(value), NEWLINE);
      this.#bytes += value.length + 1;
      this.#after.set(lane, sequence);
      taken++;
      if (taken === orders || this.orders === this.#ordersMax) return;
    }
  }

  batch(): SpooledBatch {
    const body = new Uint8Array(this.#bytes);
    let at = 0;
    for (const line of this.#lines) {
      body.set(line, at);
      at += line.length;
    }
    return { sequences: this.#sequences, orderIds: this.#orderIds, lanes: this.#lanes, body };
  }
}
