import { hash } from 'node:crypto';
import { canonicalForm } from './canonical.ts';
import { itemSchema, type OrderItem } from './item.ts';
import { type Order, orderSchema } from './order.ts';

const moreOfOrder = canonicalForm(orderSchema);
const moreOfItem = canonicalForm(itemSchema);

/**
 * SHA-256 (base64url) of the content of an order, without its orderId. Two orders with one orderId and the same fingerprint are the same
 * order. No difference: key order, white space and number notation of the JSON; msgpack instead of JSON; an empty list or object instead of
 * none; a default written or omitted. Any other change is a difference.
 */
export function orderFingerprint(order: Order): string {
  // A list in fixed order, as JSON, so that two different orders never have the same text, whatever characters their strings have. What
  // version 1.0 of the order did not have stands at the end and only if it is there: fingerprints in the database stay true.
  const { orderId: _, storeId, channel, placedAt, currency, total, customerId, payment, items, ...more } = order;
  return hash(
    'sha256',
    JSON.stringify([
      storeId,
      channel,
      placedAt,
      currency,
      total,
      customerId,
      payment.method,
      payment.token,
      items.map(itemContent),
      ...ifAny(moreOfOrder(more)),
    ]),
    'base64url',
  );
}

function itemContent({ sku, quantity, unitPrice, note, modifiers, ...more }: OrderItem): unknown[] {
  return [
    sku,
    quantity,
    unitPrice,
    note,
    modifiers?.length
      ? modifiers.map((modifier) => [modifier.sku, modifier.quantity ?? 1, modifier.unitPrice])
      : undefined,
    ...ifAny(moreOfItem(more)),
  ];
}

function ifAny(value: unknown): unknown[] {
  return value === undefined ? [] : [value];
}
