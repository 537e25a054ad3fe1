import { describe, expect, test } from 'vitest';
import { type Order, orderSchema, orderTotal } from '../../contracts/order/order.ts';
import { compileValidator } from '../../contracts/validation.ts';
import { mappers, type Platform } from '../../lab/mapping/index.ts';
import { MappingError, type Till } from '../../lab/mapping/mapper.ts';
import { complaints, leavesOf } from './nothing-lost.ts';
import { sampleMenu, samples } from './samples.ts';

const validate = compileValidator(orderSchema);
const menu = sampleMenu();

/** What the guest pays, in minor units, read off the sample by hand. */
const platformTotals: Readonly<Record<Platform, number>> = {
  square: 4_010,
  toast: 5_737 + 900,
  deliverect: 5_024,
  'uber-eats': 7_070,
};

/** What the mapper decides or words itself; `line.test.ts` has the words that join a modifier to its own modifiers. */
const own = /^\/(storeId|channel|orderId|payment|fulfilment\/type|metadata\/paidBy)/;
const ownWords = ['Bread: Gluten-free', 'bag'];

describe.each(samples)('$platform', ({ platform, till, fields, sample, order }) => {
  test('is a valid order with the platform’s total', () => {
    expect(validate(order)).toEqual({ ok: true, value: order });
    expect(order.total).toBe(platformTotals[platform]);
    expect(orderTotal(order)).toBe(order.total);
  });

  test('loses no value of the sample', () => {
    expect(complaints({ sample, order, fields, menu, till })).toEqual([]);
  });

  test('would notice each value that was lost', () => {
    const known = [...Object.values(till), ...ownWords];
    const unnoticed = pointersOf(order).filter((pointer) => {
      const damaged = structuredClone(order);
      const value = remove(damaged, pointer);
      if (own.test(pointer) || known.includes(value)) return false;
      return complaints({ sample, order: damaged, fields, menu, till }).length === 0;
    });
    expect(unnoticed).toEqual([]);
  });

  test('would notice a field that is new', () => {
    const found = complaints({ sample: { ...sample, somethingNew: 'x' }, order, fields, menu, till });
    expect(found).toEqual(['somethingNew is neither mapped nor left out with a reason']);
  });

  test('says why each field is left out, and sends no phone number, e-mail address or card', () => {
    for (const field of fields) if (!('to' in field)) expect(field.because).toMatch(/\w+ \w+/);
    const text = JSON.stringify(order);
    for (const { path, value } of leavesOf(sample))
      if (/phone|email|last4|cardType/i.test(path)) expect(text).not.toContain(String(value));
  });

  test('becomes the same order when the platform sends it again', () => {
    expect(map(platform, structuredClone(sample), till)).toEqual(order);
  });
});

test('an amount that the mapper does not know is refused, with how much it is', () => {
  const unknownFee = refusal('square', (order) => {
    order.total_money.amount += 25;
  });
  expect(unknownFee).toThrow(MappingError);
  expect(unknownFee).toThrow("the platform's total is 4035, and items and adjustments add up to 4010");
});

test.each<[string, Platform, string, Change]>([
  [
    'goods by weight',
    'square',
    'line_items[].quantity is 0.5',
    (order) => Object.assign(order.line_items[0], { quantity: '0.5' }),
  ],
  [
    'an unpaid order without a card',
    'square',
    'the order is not paid yet',
    (order) => Object.assign(order, { tenders: [] }),
  ],
  [
    'a fraction of a cent',
    'toast',
    '11.505 is no whole number',
    (order) => Object.assign(order.checks[0].selections[0], { receiptLinePrice: 11.505 }),
  ],
  [
    'an unknown dining option',
    'toast',
    'diningOption 0 is unknown',
    (order) => Object.assign(order.diningOption, { guid: '0' }),
  ],
  ['an order without a check', 'toast', 'checks is empty', (order) => Object.assign(order, { checks: [] })],
  [
    'a selection without a PLU',
    'toast',
    'Lobster roll has no plu',
    (order) => delete order.checks[0].selections[1].plu,
  ],
  ['an unknown type of order', 'deliverect', 'orderType is 9', (order) => Object.assign(order, { orderType: 9 })],
  [
    'digits of another currency',
    'deliverect',
    'decimalDigits is 3',
    (order) => Object.assign(order, { decimalDigits: 3 }),
  ],
  ['an unknown way of delivery', 'uber-eats', 'type is DRONE', (order) => Object.assign(order, { type: 'DRONE' })],
])('%s is refused', (_, platform, words, change) => {
  expect(refusal(platform, change)).toThrow(words);
});

// biome-ignore lint/suspicious/noExplicitAny: a document of another company
type Change = (order: any) => void;

function refusal(platform: Platform, change: Change): () => Order {
  const found = samples.find((sample) => sample.platform === platform);
  const changed = structuredClone(found?.sample);
  change(changed);
  return () => map(platform, changed, found?.till as Till);
}

function map(platform: Platform, sample: unknown, till: Till): Order {
  return mappers[platform].map(sample as never, till);
}

function pointersOf(document: unknown, pointer = ''): string[] {
  if (typeof document !== 'object' || document === null) return [pointer];
  return Object.entries(document).flatMap(([name, value]) => pointersOf(value, `${pointer}/${name}`));
}

/** Takes the value away, and returns it. */
function remove(document: unknown, pointer: string): unknown {
  const names = pointer.slice(1).split('/');
  const last = names.pop() ?? '';
  const holder = names.reduce((object, name) => (object as Record<string, unknown>)[name], document);
  const { [last]: value } = holder as Record<string, unknown>;
  delete (holder as Record<string, unknown>)[last];
  return value;
}
