// Judges an order by a menu that the agent has, as the region would. Called by menu-keeper.ts.

import { unavailableReasons } from '../../actors/order-validator/availability.ts';
import { checkOrder } from '../../actors/order-validator/rules.ts';
import type { StoreMenu } from '../../contracts/menu/store-menu.ts';
import type { Order } from '../../contracts/order/order.ts';
import type { FieldError } from '../../contracts/validation.ts';

type Catalog = Parameters<typeof checkOrder>[2];

/** The menu as the rules need it. */
export function catalogOf(menu: StoreMenu): Catalog {
  const { storeId, version, timezone, currency, opens, closes, items } = menu;
  const store = { timezone, currency, opens: minuteOfDay(opens), closes: minuteOfDay(closes) };
  return {
    version,
    stores: new Map([[storeId, store]]),
    items: new Map(
      items.map(({ sku, price, modifiers, parts }) => [
        sku,
        { price, modifiers: prices(modifiers), ...(parts === undefined ? {} : { parts: prices(parts) }) },
      ]),
    ),
    positions: new Map(),
  };
}

/** What the region would reject; empty for an order that fits. Stock, fraud and the limit of amounts are the region's alone. */
export function menuFaults(order: Order, atMs: number, menu: StoreMenu, catalog: Catalog): FieldError[] {
  const outages = menu.unavailable.map(({ sku, since, reason = null }) => ({
    sku,
    beganAtMs: Date.parse(since),
    endedAtMs: Number.POSITIVE_INFINITY,
    reason,
  }));
  return [
    ...checkOrder(order, atMs, catalog, { amountMax: Number.POSITIVE_INFINITY }),
    ...unavailableReasons(order, atMs, outages),
  ].map(({ pointer = '', detail }) => ({ pointer, detail }));
}

function prices(extras: readonly { sku: string; price: number }[]): Map<string, number> {
  return new Map(extras.map(({ sku, price }) => [sku, price]));
}

function minuteOfDay(time: string): number {
  const [hours, minutes] = time.split(':');
  return Number(hours) * 60 + Number(minutes);
}
