// The versions of the menu that the order-validator holds in memory. Called by actor.ts.

import { OutageError } from '../../runtime/actor.ts';
import {
  type Catalog,
  type MenuTimeline,
  readCatalog,
  readTimeline,
  type TurnSql,
  versionAt,
} from '../../store/index.ts';

/** Nearly every order is judged by the newest version, and the others of a backlog by one or two before. */
const CATALOGS_MAX = 3;

/** What decides by which menu an order is judged, in milliseconds since 1970. */
interface OrderTimes {
  placedAtMs: number;
  acceptedAtMs: number;
}

/**
 * The menus of one slot thread, loaded on demand. An order is judged by the version that was in force when it was placed, so that a
 * restaurant whose line was down keeps its sales after a price change.
 */
export class Menus {
  readonly #windowMs: number;
  #timeline: MenuTimeline | undefined;
  /** By version; the one that was used last is the last. */
  #catalogs = new Map<number, Catalog>();

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  /**
   * Loads what the orders of one turn need.
   * @param loads as `menuVersion` returned it in this turn
   * @returns the menu by which each of these orders is judged
   * @throws OutageError while there is no menu
   */
  async of<Order extends OrderTimes>(
    orders: readonly { input: Order }[],
    loads: number,
    sql: TurnSql,
  ): Promise<(order: OrderTimes) => Catalog> {
    // A decision is final: without a menu every order would be rejected for ever.
    if (loads === 0) throw new OutageError('the database holds no menu; load it with `ordermesh menu load FILE`');
    if (this.#timeline?.loads !== loads) {
      this.#timeline = await readTimeline(sql);
      this.#catalogs.clear();
    }
    const timeline = this.#timeline;
    const versionOf = (order: OrderTimes) => versionAt(timeline, judgedAt(order, this.#windowMs));
    const wanted = new Set(orders.map(({ input }) => versionOf(input)));
    const catalogs = new Map<number, Catalog>();
    for (const version of wanted)
      catalogs.set(version, this.#catalogs.get(version) ?? (await readCatalog(sql, version)));
    this.#keep(catalogs);
    return (order) => {
      const catalog = catalogs.get(versionOf(order));
      if (catalog === undefined) throw new Error('the menu of an order of this turn was not loaded');
      return catalog;
    };
  }

  #keep(used: ReadonlyMap<number, Catalog>): void {
    for (const [version, catalog] of used) {
      this.#catalogs.delete(version);
      this.#catalogs.set(version, catalog);
    }
    this.#catalogs = new Map([...this.#catalogs].slice(-CATALOGS_MAX));
  }
}

/** The instant whose menu counts: when the order was placed, but not before the window, and not after it was accepted. */
export function judgedAt({ placedAtMs, acceptedAtMs }: OrderTimes, windowMs: number): number {
  return Math.min(Math.max(placedAtMs, acceptedAtMs - windowMs), acceptedAtMs);
}
