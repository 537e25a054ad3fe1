// The rules that an order must follow, without the database. Called by the order-validator's actor.

import type { RejectionReason } from '../../contracts/events.ts';
import type { OrderItem, OrderPart } from '../../contracts/order/item.ts';
import { type Order, orderTotal } from '../../contracts/order/order.ts';
import type { Catalog, CatalogItem } from '../../store/index.ts';
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
      detail: `${order.adjustments === undefined ? 'the items add' : 'items and adjustments add'} up to ${total}, not ${order.total}`,
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
  checkModifiers(item, entry, `/items/${index}`, reasons);
  if (item.parts === undefined) return;
  for (const [at, part] of item.parts.entries()) checkPart(part, item, `/items/${index}/parts/${at}`, catalog, reasons);
}

function checkPart(part: OrderPart, combo: OrderItem, pointer: string, catalog: Catalog, reasons: RejectionReason[]) {
  const price = catalog.items.get(combo.sku)?.parts?.get(part.sku);
  const entry = catalog.items.get(part.sku);
  if (price === undefined || entry === undefined) {
    reasons.push({
      code: 'unknown-sku',
      detail: `${part.sku} is not a part of ${combo.sku}`,
      pointer: `${pointer}/sku`,
    });
    return;
  }
  if (part.unitPrice !== price) reasons.push(wrongPrice(part.sku, price, part.unitPrice, `${pointer}/unitPrice`));
  checkModifiers(part, entry, pointer, reasons);
}

function checkModifiers(
  { sku, modifiers }: Pick<OrderItem, 'sku' | 'modifiers'>,
  entry: CatalogItem,
  holder: string,
  reasons: RejectionReason[],
): void {
  if (modifiers === undefined) return;
  for (const [at, modifier] of modifiers.entries()) {
    const pointer = `${holder}/modifiers/${at}`;
    const price = entry.modifiers.get(modifier.sku);
    if (price === undefined) {
      const detail = `${modifier.sku} is not a modifier of ${sku}`;
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
