// The spool for an operator: reads and changes its orders. Used by the commands in `cli/edge/`.

import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import { type SpoolCounts, type SpooledOrder, type StateName, states } from './order.ts';
import { type RawOrder, spooledOrder } from './row.ts';
import { openExistingSpool } from './schema.ts';

/** The orders that an operator selects. */
export interface Selection {
  state?: StateName | undefined;
  /** Only these orders. */
  orderIds?: readonly string[] | undefined;
  /** Accepted at this time or later, in milliseconds since 1970. */
  since?: number | undefined;
}

/**
 * An operator's access to a spool, whether its agent runs or not: the agent notices the changes at its next look. Orders are never
 * deleted unless the region has refused them.
 */
export class SpoolVisit implements Disposable {
  readonly #database: DatabaseSync;
  readonly #path: string;

  /** @throws Error when there is no spool at this path. */
  constructor(path: string, access: 'read' | 'write') {
    this.#path = path;
    this.#database = openExistingSpool(path, access);
  }

  /** In the order of acceptance. */
  *orders(selection: Selection, limit = Number.MAX_SAFE_INTEGER): Generator<SpooledOrder> {
    const { where, values } = conditions(selection);
    const rows = this.#database
      .prepare(
        `select o.*, r.name as region_name from orders o left join regions r on r.id = o.region where ${where} order by sequence limit ?`,
      )
      .iterate(...values, limit);
    for (const row of rows) yield spooledOrder(row as unknown as RawOrder);
  }

  count(selection: Selection): number {
    const { where, values } = conditions(selection);
    return Number(
      this.#database.prepare(`select count(*) as count from orders o where ${where}`).get(...values)?.count,
    );
  }

  /** Refused orders become unsent again. @returns how many */
  retryRefused(selection: Selection): number {
    return this.#change(`update orders as o set state = ${states.unsent}, region = 0, settled_at = 0, problem = null`, {
      ...selection,
      state: 'refused',
    });
  }

  /** Confirmed orders are sent again, as after a change of region. @returns how many */
  sendAgain(selection: Selection): number {
    return this.#change('update orders as o set region = 0', { ...selection, state: 'confirmed' });
  }

  /** Refused orders leave the spool. @returns how many */
  discardRefused(selection: Selection): number {
    return this.#change('delete from orders as o', { ...selection, state: 'refused' });
  }

  /** An operator has dealt with the lost orders of a damaged file. @returns the description of the damage; `null` when no loss was open */
  acknowledgeLoss(): string | null {
    const { damage, lossOpen } = this.counts(0);
    if (!lossOpen) return null;
    this.#database.exec("delete from facts where name = 'loss_open'");
    return damage;
  }

  /** The counts in the file. Only a running agent knows whether new orders are refused. */
  counts(bytesMax: number): SpoolCounts & { path: string } {
    const number = (sql: string) => Number(Object.values(this.#database.prepare(sql).get() ?? {})[0] ?? 0);
    const fact = (name: string) => {
      const value = this.#database.prepare('select value from facts where name = ?').get(name)?.value;
      return value === undefined || value === null ? null : String(value);
    };
    const region = fact('region');
    const current = Number(this.#database.prepare('select id from regions where name = ?').get(region)?.id ?? 0);
    const { bavail, bsize } = statfsSync(dirname(this.#path));
    const unsent = this.count({ state: 'unsent' });
    const confirmed = this.count({ state: 'confirmed' });
    return {
      path: this.#path,
      unsent,
      refused: this.count({ state: 'refused' }),
      confirmed,
      replaying:
        region === null ? 0 : confirmed - number(`select count(*) from orders where state = 1 and region = ${current}`),
      bytes: (number('pragma page_count') - number('pragma freelist_count')) * number('pragma page_size'),
      bytesMax,
      diskFree: bavail * bsize,
      oldestUnsentAt: unsent === 0 ? null : number('select min(accepted_at) from orders where state = 0'),
      full: null,
      damage: fact('damage'),
      lossOpen: fact('loss_open') !== null,
      region,
    };
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }

  #change(statement: string, selection: Selection): number {
    const { where, values } = conditions(selection);
    return Number(this.#database.prepare(`${statement} where ${where}`).run(...values).changes);
  }
}

function conditions({ state, orderIds, since }: Selection): { where: string; values: SQLInputValue[] } {
  const where = ['true'];
  const values: SQLInputValue[] = [];
  if (state !== undefined) where.push(`o.state = ${states[state]}`);
  if (since !== undefined) {
    where.push('o.accepted_at >= ?');
    values.push(since);
  }
  if (orderIds !== undefined) {
    where.push('o.order_id in (select value from json_each(?))');
    values.push(JSON.stringify(orderIds));
  }
  return { where: where.join(' and '), values };
}
