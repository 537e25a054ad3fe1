import type { Order } from '../../contracts/order/order.ts';
import type { Random } from './random.ts';

/** Ways in which a point of sale sends something that is not an order, or not the order it means. */
export const malformations = {
  'bad-json': (order, random) => {
    const text = JSON.stringify(order);
    return text.slice(0, 1 + random.integer(text.length - 2));
  },
  'wrong-type': (order) => JSON.stringify({ ...order, items: order.items.map((item) => ({ ...item, quantity: '2' })) }),
  'wrong-total': (order, random) => JSON.stringify({ ...order, total: order.total + 1 + random.integer(500) }),
  'negative-price': (order) =>
    JSON.stringify({ ...order, items: order.items.map((item) => ({ ...item, unitPrice: -item.unitPrice })) }),
  'missing-field': (order) => JSON.stringify({ ...order, items: undefined }),
  'unknown-field': (order) => JSON.stringify({ ...order, coupon: 'TWO-FOR-ONE' }),
} as const satisfies Record<string, (order: Order, random: Random) => string>;

export type Malformation = keyof typeof malformations;

export const malformationNames = Object.keys(malformations) as Malformation[];
