import { hash } from 'node:crypto';
import type { Order } from './order.ts';

/**
 * SHA-256 (base64url) of the content of an order, without its orderId. Two orders with one orderId and the same fingerprint are the same
 * order. No difference: key order, white space and number notation of the JSON; msgpack instead of JSON; an empty list of modifiers instead
 * of none; a modifier's quantity of 1 written or omitted. Any other change is a difference.
 */
export function orderFingerprint(order: Order): string {
  // A list in fixed order, as JSON, so that two different orders never have the same text, whatever characters their strings have.
  return hash(
    'sha256',
    JSON.stringify([
      order.storeId,
      order.channel,
      order.placedAt,
      order.currency,
      order.total,
      order.customerId,
      order.payment.method,
      order.payment.token,
      order.items.map((item) => [
        item.sku,
        item.quantity,
        item.unitPrice,
        item.note,
        item.modifiers?.length
          ? item.modifiers.map((modifier) => [modifier.sku, modifier.quantity ?? 1, modifier.unitPrice])
          : undefined,
      ]),
    ]),
    'base64url',
  );
}
