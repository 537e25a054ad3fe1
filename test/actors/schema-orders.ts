import fc from 'fast-check';
import { limits } from '../../contracts/limits.ts';
import { type Menu, parseMenu } from '../../contracts/order/menu.ts';
import { type Order, orderTotal } from '../../contracts/order/order.ts';

/** Names as long as the schema allows. */
const longSku = (first: string) => `${first}-`.padEnd(64, 'x');
const prices = { [longSku('free')]: 0, a: 1, [longSku('dear')]: limits.amountMax };
const modifierPrices = { [longSku('m')]: 0, m: 3 };

/** Stores with ids of all lengths, in currencies with two, zero and three digits of minor units. They are always open. */
const ordinaryStores = [
  { storeId: 'aa', currency: 'USD', timezone: 'Pacific/Kiritimati' },
  { storeId: 'x'.repeat(32), currency: 'JPY', timezone: 'Asia/Kathmandu' },
  { storeId: 'kw-1', currency: 'KWD', timezone: 'Pacific/Pago_Pago' },
];
/** This store's shelves have enough for one order, which takes nearly everything. */
const fullStore = { storeId: 'kw-2', currency: 'KWD', timezone: 'UTC' };
export const edgeStores = [...ordinaryStores, fullStore];

export function edgeMenu(): Menu {
  const modifiers = Object.entries(modifierPrices).map(([sku, price]) => ({ sku, name: `No ${sku}`, price }));
  return parseMenu({
    currency: 'USD',
    items: Object.entries(prices).map(([sku, price]) => ({ sku, name: sku, category: 'all', price, modifiers })),
    stores: edgeStores.map((store) => ({ ...store, name: store.storeId, opens: '00:00', closes: '00:00' })),
    stock: { default: 2_000_000_000 },
  });
}

const special = [
  '\u{10ffff}',
  '👩‍🍳',
  '\u2028',
  '\u2029',
  '\ufffd',
  '\uffff',
  '\u202e',
  '\ufeff',
  '"',
  '\\',
  "'",
  '<b>',
  '%s',
];

/** A text of this length in characters, as the schema counts them. */
function text(min: number, max: number): fc.Arbitrary<string> {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what the schema refuses.
  const printable = (value: string) => value.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, '·');
  return fc.oneof(
    fc.string({ unit: 'binary', minLength: min, maxLength: max }).map(printable),
    fc.constantFrom('a', '🍔', 'é', '日').map((character) => character.repeat(max)),
    fc.constantFrom(...special).filter((value) => [...value].length <= max),
  );
}

const note = fc.oneof(text(0, 200), fc.constantFrom('', '\n'.repeat(200), 'no onion\r\n\tno mustard'));

const placedAt = fc.oneof(
  fc.constantFrom(
    '2000-01-01T00:00:00Z',
    '2000-01-01T00:00:00.000000001+23:59',
    '2099-12-31T23:59:59.999999999-23:59',
    '2024-02-29t23:59:59z',
    '2026-11-22 10:00:00+05:45',
    '2026-03-08T02:30:00-06:00',
  ),
  fc
    .date({ min: new Date('2000-01-01'), max: new Date('2099-12-31'), noInvalidDate: true })
    .map((at) => at.toISOString()),
);

const quantity = fc.constantFrom(1, 2, limits.quantityMax);

const modifier = fc
  .tuple(fc.constantFrom(...Object.entries(modifierPrices)), fc.option(quantity, { nil: undefined }))
  .map(([[sku, unitPrice], count]) => ({ sku, unitPrice, ...(count === undefined ? {} : { quantity: count }) }));

const item = fc
  .record({
    price: fc.constantFrom(...Object.entries(prices)),
    quantity,
    modifiers: fc.option(
      fc.oneof(
        { arbitrary: fc.array(modifier, { maxLength: 3 }), weight: 5 },
        { arbitrary: fc.array(modifier, { minLength: 20, maxLength: 20 }), weight: 1 },
      ),
      { nil: undefined },
    ),
    note: fc.option(note, { nil: undefined }),
  })
  .map(({ price: [sku, unitPrice], ...rest }) => ({ sku, unitPrice, ...rest }));

const method = fc.constantFrom('card' as const, 'app' as const, 'cash' as const);
const token = fc.oneof(
  text(1, 128),
  text(0, 116).map((code) => `tok_decline_${code}`),
);

/**
 * Orders at the limits of the schema. The total is the sum of the lines if the schema allows that amount; otherwise it is the maximum, and
 * the order is rejected.
 */
export const edgeOrder: fc.Arbitrary<Order> = fc
  .record({
    orderId: fc.uuid(),
    store: fc.constantFrom(...ordinaryStores),
    channel: fc.constantFrom('pos', 'kiosk', 'drive-thru', 'app', 'web', 'delivery'),
    placedAt,
    items: fc.oneof(
      { arbitrary: fc.array(item, { minLength: 1, maxLength: 3 }), weight: 20 },
      { arbitrary: fc.array(item, { minLength: 100, maxLength: 100 }), weight: 1 },
    ),
    customerId: fc.option(text(1, 64), { nil: undefined }),
    method,
    token: fc.option(token, { nil: undefined }),
  })
  .map(({ store, method, token, ...order }) => ({
    ...order,
    storeId: store.storeId,
    currency: store.currency,
    total: Math.min(orderTotal(order as Pick<Order, 'items'>), limits.amountMax),
    payment: method === 'cash' && token === undefined ? { method } : { method, token: token ?? 'tok' },
  }))
  // JSON leaves out undefined members.
  .map((order) => JSON.parse(JSON.stringify(order)) as Order)
  .filter((order) => JSON.stringify(order).length <= limits.orderBytesMax / 4);

/** An order whose lines have the largest sum: 2 x 10^17 minor units and 2 x 10^9 pieces. */
export function largestOrder(orderId: string): Order {
  const { storeId, currency } = fullStore;
  const most = { quantity: limits.quantityMax, unitPrice: limits.amountMax };
  const modifiers = Array.from({ length: limits.modifiersPerItemMax }, () => ({ sku: 'm', ...most }));
  const items = Array.from({ length: limits.itemsPerOrderMax }, () => ({ sku: longSku('free'), ...most, modifiers }));
  const total = limits.amountMax;
  return {
    orderId,
    storeId,
    channel: 'pos',
    placedAt: '2026-11-22T10:00:00Z',
    currency,
    items,
    total,
    payment: { method: 'cash' },
  };
}

/** An order that takes two billion pieces from the shelf and is paid. */
export function heaviestOrder(orderId: string): Order {
  const free = { sku: longSku('free'), unitPrice: 0 };
  const modifiers = Array.from({ length: limits.modifiersPerItemMax }, () => ({
    sku: longSku('m'),
    quantity: limits.quantityMax,
    unitPrice: 0,
  }));
  const items = Array.from({ length: limits.itemsPerOrderMax }, () => ({
    ...free,
    quantity: limits.quantityMax,
    modifiers,
  }));
  return { ...largestOrder(orderId), items, total: 0 };
}
