// The table of the restaurant's board in the spool's file. Used by spool.ts.

import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { type SpooledOrder, states } from './order.ts';

/** Entries of the store's own board that have changed, as text, and orderIds of those that left it. */
export interface ShelfChanges {
  kept: [orderId: string, entry: string][];
  dropped: string[];
}

/** What the board starts with: its entries, and orders that no region has, which it may not know yet. */
export interface Shelf {
  entries: string[];
  unsent: Pick<SpooledOrder, 'value' | 'acceptedAt'>[];
}

/** Stores the board of the store's own display, so that it survives a power loss. The entries are opaque text here. */
export class TicketShelf {
  readonly #keep: StatementSync;
  readonly #drop: StatementSync;
  readonly #entries: StatementSync;
  readonly #unsent: StatementSync;

  constructor(database: DatabaseSync) {
    this.#keep = database.prepare(
      'insert into kitchen values (?, ?) on conflict (order_id) do update set entry = excluded.entry',
    );
    this.#drop = database.prepare('delete from kitchen where order_id = ?');
    this.#entries = database.prepare('select entry from kitchen');
    this.#unsent = database.prepare(
      `select value, accepted_at as acceptedAt from orders where state = ${states.unsent} and order_id not in (select order_id from kitchen) order by sequence desc limit ?`,
    );
  }

  /** In the transaction of the caller. */
  change({ kept, dropped }: ShelfChanges): void {
    for (const [orderId, entry] of kept) this.#keep.run(orderId, entry);
    for (const orderId of dropped) this.#drop.run(orderId);
  }

  /** @param unsentMax returns at most this many unsent orders, the newest. */
  read(unsentMax: number): Shelf {
    const entries = this.#entries.all().map(({ entry }) => String(entry));
    return { entries, unsent: this.#unsent.all(unsentMax).toReversed() as unknown as Shelf['unsent'] };
  }
}
