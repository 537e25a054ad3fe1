import { hash } from 'node:crypto';
import type { Order } from './order.ts';

/**
 * SHA-256 (base64url) of what an order says, its orderId aside. Two orders of one orderId with the same fingerprint are the same
 * order: key order, white space and number notation of the JSON, msgpack instead of JSON, an empty list of modifiers instead of none and a
 * modifier's quantity of 1 written out or left away make no difference; any other change does.
 */
export function orderFingerprint(order: Order): string {
  // A list in fixed order, as JSON: no two different orders have the same text, whatever characters their strings hold.
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
