// The menus of the agent, and all that keeps them up to date. Called by edge.ts.

import { Counter, Gauge, type Registry } from 'prom-client';
import type { Config } from '../../contracts/config/config.ts';
import type { Order } from '../../contracts/order/order.ts';
import type { FieldError } from '../../contracts/validation.ts';
import type { MenuSource } from '../../gateway/index.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { menuFileOf } from './menu-file.ts';
import { type MenuChangedMessage, MenuKeeper } from './menu-keeper.ts';
import { RegionMenus } from './region-menus.ts';

export interface EdgeMenusOptions {
  config: Config;
  upstream: string;
  spoolPath: string;
  storeId: string;
  token(): Promise<string>;
  logger: Logger;
}

export interface EdgeMenus extends MenuSource {
  /** What the region would reject of an order; empty where it fits, or cannot be judged here. */
  faults(order: Order): FieldError[];
  /** The region told a change, or can be asked again. */
  changed(message: MenuChangedMessage | undefined): void;
  /** An order was refused by the menu. */
  refused(): void;
  /** For `/readyz`. */
  remark(): string | undefined;
  register(registry: Registry): void;
  close(): Promise<void>;
}

/** Points of sale read the menu that the agent has; changes go to the region. */
export function openEdgeMenus({ config, upstream, spoolPath, storeId, token, logger }: EdgeMenusOptions): EdgeMenus {
  const region = new RegionMenus({ upstream, token });
  const refreshMs = config.ORDERMESH_EDGE_MENU_REFRESH;
  const keeper = new MenuKeeper({ region, storeId, path: menuFileOf(spoolPath), refreshMs, logger });
  const checks = config.ORDERMESH_EDGE_MENU_CHECK;
  keeper.refresh();
  return {
    async read(ofStore, at) {
      if (ofStore !== storeId) return undefined;
      const menu = keeper.menuAt(at?.getTime() ?? Date.now());
      if (menu === undefined) throw new Error('the agent does not know the menu of that time');
      return menu;
    },
    change: (ofStore, sku, change) => region.change(ofStore, sku, change),
    faults: (order) => (checks ? keeper.faults(order) : []),
    changed(message) {
      if (message === undefined) keeper.refresh();
      else keeper.changed(message);
    },
    refused() {
      keeper.refused++;
    },
    remark: () => (checks ? keeper.remark() : undefined),
    register: (registry) => registerMenu(registry, keeper),
    async close() {
      region.close();
      await keeper.close();
    },
  };
}

function registerMenu(registry: Registry, keeper: MenuKeeper): void {
  const registers = [registry];
  new Gauge({
    name: 'ordermesh_edge_menu_age_seconds',
    help: "Time since the region last confirmed the agent's menu; 0 without one.",
    registers,
    collect() {
      this.set((keeper.ageMs ?? 0) / 1_000);
    },
  });
  new Gauge({
    name: 'ordermesh_edge_menu_version',
    help: 'Version of the menu by which orders placed now are checked; 0 while they are not checked.',
    registers,
    collect() {
      this.set(keeper.version);
    },
  });
  new Counter({
    name: 'ordermesh_edge_menu_refused_orders_total',
    help: 'Orders that were refused because they do not fit the menu.',
    registers,
    collect() {
      this.reset();
      this.inc(keeper.refused);
    },
  });
}
