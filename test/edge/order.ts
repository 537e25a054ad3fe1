import { randomUUID } from 'node:crypto';
import type { Order } from '../../contracts/order/order.ts';

export const storeId = 'us-il-0001';

/** An order that is paid in cash. */
export function newOrder(changes: Partial<Order> = {}): Order {
  return {
    orderId: randomUUID(),
    storeId,
    channel: 'pos',
    placedAt: new Date().toISOString(),
    currency: 'USD',
    items: [{ sku: 'cheeseburger', quantity: 1, unitPrice: 599 }],
    total: 599,
    payment: { method: 'cash' },
    ...changes,
  };
}
