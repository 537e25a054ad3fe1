// Keeps the menu of the agent's store and judges orders by it. Created by edge.ts.

import { Backoff } from '../../contracts/backoff.ts';
import { type Clock, systemClock } from '../../contracts/clock.ts';
import type { StoreMenu } from '../../contracts/menu/store-menu.ts';
import type { Order } from '../../contracts/order/order.ts';
import type { FieldError } from '../../contracts/validation.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { StateLog } from '../../telemetry/state-log.ts';
import { catalogOf, menuFaults } from './menu-check.ts';
import { isUnavailable, type KeptMenus, readMenuFile, writeMenuFile } from './menu-file.ts';
import type { RegionMenus } from './region-menus.ts';

export interface MenuKeeperOptions {
  region: Pick<RegionMenus, 'read'>;
  storeId: string;
  path: string;
  /** ORDERMESH_EDGE_MENU_REFRESH. */
  refreshMs: number;
  logger: Logger;
  clock?: Clock;
}

/** What the region pushes; the same as the event of the store. */
export interface MenuChangedMessage {
  menuVersion?: unknown;
  revision?: unknown;
  unavailable?: unknown;
}

/** After a load every restaurant of the chain asks. They spread over this time. */
const SPREAD_MS = 1_000;
/** How often an unchanged menu is written to the disk, with its last confirmation. */
const WRITTEN_EVERY_MS = 600_000;
/** A menu that was not confirmed for this many refreshes counts as old. */
const OLD_REFRESHES = 5;

/** The last menu that the agent has: from the region while the line is up, else from its file. Orders are judged by it as by the region. */
export class MenuKeeper {
  readonly #options: MenuKeeperOptions;
  readonly #clock: Clock;
  readonly #states: StateLog;
  readonly #backoff: Backoff;
  #kept: KeptMenus | undefined;
  #catalogs = new WeakMap<StoreMenu, ReturnType<typeof catalogOf>>();
  #etag: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #reading: Promise<void> | undefined;
  #askAgain = false;
  #closed = false;
  /** Orders that were refused by the menu. */
  refused = 0;

  constructor(options: MenuKeeperOptions) {
    const { path, storeId, refreshMs, logger, clock = systemClock } = options;
    this.#options = options;
    this.#clock = clock;
    this.#states = new StateLog(logger);
    this.#backoff = new Backoff({ firstMs: Math.min(1_000, refreshMs), mostMs: refreshMs, jitter: 0.5 });
    try {
      this.#kept = readMenuFile(path, storeId);
    } catch (error) {
      logger.warn(
        { err: error, path },
        'the menu on the disk cannot be used; orders are taken without a check until the region is reached',
      );
    }
  }

  /** Asks the region now, and then again and again. */
  refresh(): void {
    clearTimeout(this.#timer);
    if (this.#closed) return;
    if (this.#reading !== undefined) {
      this.#askAgain = true;
      return;
    }
    this.#reading = this.#read().finally(() => {
      this.#reading = undefined;
      if (!this.#askAgain) return;
      this.#askAgain = false;
      this.refresh();
    });
  }

  /** The region told a change. What a store cannot sell is in the message; another menu is to be read. */
  changed({ menuVersion, revision, unavailable }: MenuChangedMessage): void {
    const current = this.#kept?.menus[0];
    if (current === undefined || current.menuVersion !== menuVersion || this.#reading !== undefined) {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.refresh(), Math.random() * SPREAD_MS).unref();
      return;
    }
    if (typeof revision !== 'number' || revision <= current.revision || !isUnavailable(unavailable)) return;
    this.#etag = undefined;
    this.#keep((this.#kept?.menus ?? []).map((menu) => ({ ...menu, revision, unavailable })));
  }

  /** The menu at an instant; `undefined` where the agent does not know it. */
  menuAt(atMs: number): StoreMenu | undefined {
    const menu = this.#kept?.menus.findLast(({ effectiveAt }) => Date.parse(effectiveAt) <= atMs);
    // A version to come that is not kept.
    return menu?.until !== undefined && Date.parse(menu.until) <= atMs ? undefined : menu;
  }

  /** What the region would reject of this order; empty where it fits, or where the agent does not know the menu of its time. */
  faults(order: Order): FieldError[] {
    if (order.storeId !== this.#options.storeId) return [];
    const atMs = Math.min(Date.parse(order.placedAt), this.#clock.now());
    const menu = this.menuAt(atMs);
    if (menu === undefined) return [];
    let catalog = this.#catalogs.get(menu);
    if (catalog === undefined) {
      catalog = catalogOf(menu);
      this.#catalogs.set(menu, catalog);
    }
    return menuFaults(order, Date.parse(order.placedAt), menu, catalog);
  }

  /** The version of now; 0 without one. */
  get version(): number {
    return this.menuAt(this.#clock.now())?.version ?? 0;
  }

  /** Milliseconds since the region confirmed the menu; `undefined` without one. */
  get ageMs(): number | undefined {
    return this.#kept === undefined ? undefined : Math.max(0, this.#clock.now() - this.#kept.confirmedAt);
  }

  /** For `/readyz`: how old the menu is, once it is old. */
  remark(): string | undefined {
    const { ageMs, version } = this;
    if (ageMs === undefined) return 'none yet; orders are taken without a check of items and prices';
    if (version === 0) return 'the version of now is not known; orders are taken without a check of items and prices';
    if (ageMs < OLD_REFRESHES * this.#options.refreshMs) return undefined;
    return `version ${version}, last confirmed ${Math.round(ageMs / 60_000)} min ago; orders are checked by it`;
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#reading;
    await this.#writing;
  }

  async #read(): Promise<void> {
    const { region, storeId, refreshMs } = this.#options;
    try {
      const answer = await region.read(storeId, this.#kept === undefined ? undefined : this.#etag);
      this.#states.end('unread', "the store's menu can be read again");
      this.#backoff.reset();
      if (answer === 'unchanged') this.#confirm();
      else this.#keep(answer.menus);
      if (answer !== 'unchanged') this.#etag = answer.etag;
      this.#again(refreshMs);
    } catch (error) {
      this.#states.begin('unread', "the store's menu cannot be read; the last one stays", { err: error });
      this.#again(this.#backoff.next());
    }
  }

  #again(afterMs: number): void {
    if (!this.#closed) this.#timer = setTimeout(() => this.refresh(), afterMs).unref();
  }

  /** The file may know less of the last confirmation than the agent, which spares the disk. */
  #confirm(): void {
    if (this.#kept === undefined) return;
    const now = this.#clock.now();
    if (now - this.#writtenAt > WRITTEN_EVERY_MS) this.#keep(this.#kept.menus);
    else this.#kept = { ...this.#kept, confirmedAt: now };
  }

  #keep(menus: StoreMenu[]): void {
    const { path } = this.#options;
    const now = this.#clock.now();
    this.#kept = { menus, confirmedAt: now };
    this.#writtenAt = now;
    this.#writing = this.#writing.then(() => this.#write(path));
  }

  #writtenAt = 0;
  #writing: Promise<void> = Promise.resolve();

  async #write(path: string): Promise<void> {
    if (this.#kept === undefined) return;
    try {
      await writeMenuFile(path, this.#kept);
      this.#states.end('unwritten', 'the menu can be written again');
    } catch (error) {
      this.#states.begin('unwritten', 'the menu cannot be written to the disk; after a restart an older one counts', {
        err: error,
      });
    }
  }
}
