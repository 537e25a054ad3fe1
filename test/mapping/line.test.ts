import { describe, expect, test } from 'vitest';
import { lineTotal } from '../../contracts/order/item.ts';
import { type Choice, itemOf, withOrderNote } from '../../lab/mapping/line.ts';
import { minorUnits, orderIdOf, skuOf } from '../../lab/mapping/values.ts';

const choice = (sku: string, more: Partial<Choice> = {}): Choice => ({
  sku,
  name: sku,
  quantity: 1,
  unitPrice: 0,
  ...more,
});

describe('modifiers of modifiers', () => {
  const salad = choice('salad', {
    quantity: 2,
    unitPrice: 1_000,
    choices: [
      choice('chicken', {
        quantity: 2,
        unitPrice: 300,
        choices: [choice('rub', { quantity: 3, unitPrice: 10, choices: [choice('hot', { unitPrice: 1 })] })],
      }),
      choice('dressing'),
    ],
  });

  test('stand behind theirs, for as many as there are of it', () => {
    expect(itemOf(salad).modifiers).toEqual([
      { sku: 'chicken', quantity: 2, unitPrice: 300 },
      { sku: 'rub', quantity: 6, unitPrice: 10 },
      { sku: 'hot', quantity: 6, unitPrice: 1 },
      { sku: 'dressing', quantity: 1, unitPrice: 0 },
    ]);
    expect(lineTotal(itemOf(salad))).toBe(2 * (1_000 + 2 * (300 + 3 * (10 + 1))));
  });

  test('are named with theirs in the note', () => {
    expect(itemOf(salad).note).toBe('chicken: 3 × rub\nrub: hot');
    expect(itemOf({ ...salad, note: 'to share' }).note).toBe('to share\nchicken: 3 × rub\nrub: hot');
  });
});

test('dishes among the choices are parts, with their modifiers and notes', () => {
  const fries = choice('fries', {
    isDish: true,
    note: 'crisp',
    choices: [choice('mayo', { choices: [choice('vegan')] })],
  });
  expect(itemOf(choice('menu', { choices: [fries, choice('large')] }))).toEqual({
    sku: 'menu',
    quantity: 1,
    unitPrice: 0,
    modifiers: [{ sku: 'large', quantity: 1, unitPrice: 0 }],
    parts: [
      {
        sku: 'fries',
        quantity: 1,
        unitPrice: 0,
        modifiers: [
          { sku: 'mayo', quantity: 1, unitPrice: 0 },
          { sku: 'vegan', quantity: 1, unitPrice: 0 },
        ],
      },
    ],
    note: 'fries: crisp\nmayo: vegan',
  });
});

test('a note for the whole order stands on its first item', () => {
  const items = ['a', 'b'].map((sku) => itemOf(choice(sku, { note: sku })));
  expect(withOrderNote(items, ['together', undefined, 'soon']).map(({ note }) => note)).toEqual([
    'whole order: together; soon\na',
    'b',
  ]);
  expect(withOrderNote(items, [undefined, ''])).toEqual(items);
});

test('a UUID stays the orderId, and any other id becomes the same UUID each time', () => {
  expect(orderIdOf('x', '3D1F7B62-8C45-4E9A-B0D7-51E6A2C93F08')).toBe('3d1f7b62-8c45-4e9a-b0d7-51e6a2c93f08');
  const made = orderIdOf('square', 'OMq7');
  expect(made).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(orderIdOf('square', 'OMq7')).toBe(made);
  expect(orderIdOf('toast', 'OMq7')).not.toBe(made);
});

test.each([
  [24.95, 'USD', 2_495],
  [0.1 + 0.2, 'EUR', 30],
  [350, 'JPY', 350],
  [1.25, 'KWD', 1_250],
])('%d %s is %d minor units', (amount, currency, minor) => {
  expect(minorUnits(amount, currency)).toBe(minor);
});

test('SKUs are words joined by hyphens', () => {
  expect(['MOD_CHEESE', '#O1#-PEPP ', 'a--b'].map(skuOf)).toEqual(['mod-cheese', 'o1-pepp', 'a-b']);
});
