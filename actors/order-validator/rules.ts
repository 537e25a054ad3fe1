// The rules that an order must follow, without the database. Called by the order-validator's actor.

import type { RejectionReason } from '../../contracts/events.ts';
import { type Order, type OrderItem, orderTotal } from '../../contracts/order/order.ts';
import type { Catalog } from '../../store/index.ts';
import { isOpen } from './opening-hours.ts';
import type { ValidatorSettings } from './settings.ts';

/** More reasons are of no use to the store, and a rejection must fit into a record. */
const REASONS_MAX = 16;

/**
 * The rules that need only the order and the menu: store, currency, SKUs, prices, total, opening hours, amount. All reasons are collected,
 * so that the store can correct the order in one go.
 */
export function checkOrder(
  order: Order,
  placedAtMs: number,
  catalog: Catalog,
  settings: Pick<ValidatorSettings, 'amountMax'>,
): RejectionReason[] {
  const reasons: RejectionReason[] = [];
  const store = catalog.stores.get(order.storeId);
  if (store === undefined) {
    reasons.push({ code: 'store-unknown', detail: `there is no store ${order.storeId}`, pointer: '/storeId' });
  } else if (order.currency !== store.currency) {
    const detail = `the store takes ${store.currency}, not ${order.currency}`;
    reasons.push({ code: 'wrong-currency', detail, pointer: '/currency' });
  }
  for (let index = 0; index < order.items.length; index++) {
    const item = order.items[index];
    if (item !== undefined) checkItem(item, index, catalog, reasons);
  }
  const total = orderTotal(order);
  if (order.total !== total) {
    reasons.push({
      code: 'wrong-total',
      detail: `the items add up to ${total}, not ${order.total}`,
      pointer: '/total',
    });
  }
  if (store !== undefined && !isOpen(store, placedAtMs)) {
    const hours = `${timeOfDay(store.opens)} to ${timeOfDay(store.closes)} ${store.timezone}`;
    reasons.push({ code: 'store-closed', detail: `the store is open from ${hours}`, pointer: '/placedAt' });
  }
  if (order.total > settings.amountMax) {
    const detail = `${order.total} is above the limit of ${settings.amountMax}`;
    reasons.push({ code: 'amount-limit', detail, pointer: '/total' });
  }
  return reasons.length > REASONS_MAX ? reasons.slice(0, REASONS_MAX) : reasons;
}

function checkItem(item: OrderItem, index: number, catalog: Catalog, reasons: RejectionReason[]): void {
  const entry = catalog.items.get(item.sku);
  if (entry === undefined) {
    const detail = `${item.sku} is not on the menu`;
    reasons.push({ code: 'unknown-sku', detail, pointer: `/items/${index}/sku` });
    return;
  }
  if (item.unitPrice !== entry.price) {
    reasons.push(wrongPrice(item.sku, entry.price, item.unitPrice, `/items/${index}/unitPrice`));
  }
  if (item.modifiers === undefined) return;
  for (const [at, modifier] of item.modifiers.entries()) {
    const pointer = `/items/${index}/modifiers/${at}`;
    const price = entry.modifiers.get(modifier.sku);
    if (price === undefined) {
      const detail = `${modifier.sku} is not a modifier of ${item.sku}`;
      reasons.push({ code: 'unknown-sku', detail, pointer: `${pointer}/sku` });
    } else if (modifier.unitPrice !== price) {
      reasons.push(wrongPrice(modifier.sku, price, modifier.unitPrice, `${pointer}/unitPrice`));
    }
  }
}

function wrongPrice(sku: string, price: number, given: number, pointer: string): RejectionReason {
  return { code: 'wrong-price', detail: `${sku} costs ${price}, not ${given}`, pointer };
}

function timeOfDay(minutes: number): string {
  const hours = String(Math.floor(minutes / 60)).padStart(2, '0');
  return `${hours}:${String(minutes % 60).padStart(2, '0')}`;
}
