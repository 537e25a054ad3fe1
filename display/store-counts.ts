import type { Clock } from '../contracts/clock.ts';
import { type BoundedPool, openTicketCounts, readMenuNames, type StoreTicketCount } from '../store/index.ts';
import type { StoreCount } from './messages.ts';
import type { TicketNames } from './ticket-names.ts';

const NAMES_INTERVAL_MS = 60_000;

/** Open tickets of each store, as of the last `read`. */
export class StoreCounts {
  readonly #pool: BoundedPool;
  readonly #names: TicketNames;
  readonly #clock: Clock;
  #counts = new Map<string, StoreTicketCount>();
  #namesReadAt = Number.NEGATIVE_INFINITY;

  constructor(pool: BoundedPool, names: TicketNames, clock: Clock) {
    this.#pool = pool;
    this.#names = names;
    this.#clock = clock;
  }

  /**
   * Counts the open tickets, and reads the names of the menu once a minute.
   * @returns whether the names were read
   * @throws when the database does not answer
   */
  async read(): Promise<boolean> {
    const areNamesOld = this.#clock.now() - this.#namesReadAt > NAMES_INTERVAL_MS;
    if (areNamesOld) {
      this.#names.replace(await this.#pool.call(readMenuNames));
      this.#namesReadAt = this.#clock.now();
    }
    this.#counts = new Map((await this.#pool.call(openTicketCounts)).map((count) => [count.storeId, count]));
    return areNamesOld;
  }

  /** @param storeId `undefined` for the whole chain */
  openOf(storeId: string | undefined): number {
    if (storeId !== undefined) return this.#counts.get(storeId)?.open ?? 0;
    let open = 0;
    for (const count of this.#counts.values()) open += count.open;
    return open;
  }

  /** All stores that are on the menu or have open tickets. */
  get stores(): StoreCount[] {
    const storeIds = new Set([...this.#names.stores.keys(), ...this.#counts.keys()]);
    return [...storeIds].sort().map((storeId) => ({
      storeId,
      name: this.#names.stores.get(storeId) ?? storeId,
      open: this.#counts.get(storeId)?.open ?? 0,
      oldestSince: this.#counts.get(storeId)?.oldestPaidAt.getTime() ?? 0,
    }));
  }
}
