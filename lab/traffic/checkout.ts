// What a till adds to a basket: number, guest, where it goes, tax, tips and discounts. Called by generator.ts.

import { lineTotal, type OrderItem } from '../../contracts/order/item.ts';
import { type Order, orderTotal } from '../../contracts/order/order.ts';
import { pick, type Random } from './random.ts';

type Checkout = Pick<Order, 'items' | 'total'> &
  Partial<Pick<Order, 'adjustments' | 'number' | 'guest' | 'fulfilment' | 'metadata'>>;
type Adjustment = NonNullable<Order['adjustments']>[number];

const TAX_RATE = 0.0825;
const DISCOUNT_SHARE = 0.08;
const TIPPED = new Set<Order['channel']>(['delivery', 'pos']);
const TIP_SHARE = 0.3;
const DELIVERY_FEE = 299;
const TILLS = 6;
const names = ['Kim', 'Zoë', 'Ahmed', 'María', 'Yuki', 'Oluwaseun', 'Chloé', 'Björn', '王芳', 'نور'];

const fulfilments: Record<Order['channel'], NonNullable<Order['fulfilment']>['type']> = {
  'drive-thru': 'drive-thru',
  pos: 'eat-in',
  kiosk: 'take-away',
  app: 'curbside',
  web: 'take-away',
  delivery: 'delivery',
};

/** Rings up a basket: every order has a number and is taxed, some are discounted or tipped. */
export function checkout(random: Random, channel: Order['channel'], items: OrderItem[]): Checkout {
  const adjustments = adjustmentsOf(random, channel, items);
  const order: Checkout = {
    items,
    adjustments,
    total: orderTotal({ items, adjustments }),
    number: `${pick(random, ['A', 'B', 'C'])}${random.integer(100)}`,
    fulfilment: { type: fulfilments[channel] },
    metadata: { till: String(1 + random.integer(TILLS)) },
  };
  if (channel === 'pos' && random.chance(0.5))
    order.fulfilment = { type: 'eat-in', table: String(1 + random.integer(30)) };
  if (channel !== 'drive-thru' && random.chance(0.6)) order.guest = { name: pick(random, names) };
  return order;
}

function adjustmentsOf(random: Random, channel: Order['channel'], items: readonly OrderItem[]): Adjustment[] {
  let sum = 0;
  for (const item of items) sum += lineTotal(item);
  const adjustments: Adjustment[] = [];
  let taxable = sum;
  if (random.chance(DISCOUNT_SHARE)) {
    const discount = Math.round(sum * pick(random, [0.1, 0.2, 0.5]));
    taxable -= discount;
    adjustments.push({ kind: 'discount', name: 'coupon', amount: -discount });
  }
  adjustments.push({ kind: 'tax', name: 'sales tax', amount: Math.round(taxable * TAX_RATE) });
  if (channel === 'delivery') adjustments.push({ kind: 'fee', name: 'delivery', amount: DELIVERY_FEE });
  if (TIPPED.has(channel) && random.chance(TIP_SHARE))
    adjustments.push({ kind: 'tip', amount: Math.round(sum * pick(random, [0.1, 0.15, 0.2])) });
  return adjustments;
}
