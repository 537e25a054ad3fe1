import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isInstant } from '../../contracts/order/instant.ts';
import {
  isOrderId,
  type Order,
  orderIdSchema,
  orderSchema,
  orderTotal,
  stockDemand,
} from '../../contracts/order/order.ts';
import { compileValidator } from '../../contracts/validation.ts';

const validate = compileValidator(orderSchema);

const order = (change: Record<string, unknown> = {}): unknown => ({
  orderId: '0192f1c2-7c1a-7cc0-8000-000000000001',
  storeId: 'us-il-0001',
  channel: 'pos',
  placedAt: '2026-11-22T10:00:00.000Z',
  currency: 'USD',
  items: [{ sku: 'double-cheeseburger', quantity: 2, unitPrice: 599, modifiers: [] }],
  total: 1198,
  customerId: 'c-1',
  payment: { method: 'card', token: 'tok_visa' },
  ...change,
});

const errorsOf = (document: unknown) => {
  const result = validate(document);
  return result.ok ? [] : result.errors;
};

describe('order schema', () => {
  test('accepts the order of the contract', () => {
    expect(errorsOf(order())).toEqual([]);
  });

  test.each([
    ['/items/0/quantity', { items: [{ sku: 'a', quantity: 0, unitPrice: 1 }] }],
    ['/items/0/unitPrice', { items: [{ sku: 'a', quantity: 1, unitPrice: -1 }] }],
    ['/items', { items: [] }],
    ['/total', { total: '12' }],
    ['/total', { total: 1.5 }],
    ['/currency', { currency: 'XXZ1' }],
    ['/orderId', { orderId: '1' }],
    ['/placedAt', { placedAt: 'yesterday' }],
    ['/channel', { channel: 'pigeon' }],
    ['/payment/token', { payment: { method: 'card' } }],
    ['/storeId', { storeId: undefined }],
    ['/colour', { colour: 'red' }],
  ])('names %s as the field to blame', (pointer, change) => {
    expect(errorsOf(order(change)).map((error) => error.pointer)).toContain(pointer);
  });

  test('names all faults of an order, not only the first', () => {
    expect(errorsOf(order({ total: '12', currency: 'usd' })).map(({ pointer }) => pointer)).toEqual(
      expect.arrayContaining(['/total', '/currency']),
    );
  });

  test('takes cash without a token', () => {
    expect(errorsOf(order({ payment: { method: 'cash' } }))).toEqual([]);
  });

  test.each([
    '2026-11-22T10:00:00Z',
    '2026-11-22T10:00:00.123456789-06:00',
    '2026-11-22t10:00:00z',
    '2026-11-22 10:00:00+05:45',
    '2024-02-29T23:59:59-00:00',
    '2000-02-29T00:00:00+14:00',
    '2000-01-01T00:00:00+23:59',
    '2099-12-31T23:59:59.999-23:59',
  ])('takes %s as placedAt', (placedAt) => {
    expect(errorsOf(order({ placedAt }))).toEqual([]);
  });

  test.each([
    ['2026-11-22T10:00:00-06', /Z or an offset, such as 2026-11-22T10:00:00-06:00/],
    ['2026-11-22T10:00:00-0600', /offset/],
    ['2026-11-22T10:00:00', /offset/],
    ['2026-11-22T10:00:00+24:00', /offset/],
    ['2026-11-22T24:00:00Z', /date and time/],
    ['2016-12-31T23:59:60Z', /date and time/],
    ['2026-02-29T10:00:00Z', /date and time/],
    ['2100-02-29T10:00:00Z', /date and time/],
    ['2026-04-31T10:00:00Z', /date and time/],
    ['2026-11-22T10:00:00.1234567890Z', /date and time/],
    ['2026-11-22T10:00:00.Z', /date and time/],
    ['2026-11-22T10:00:00Z\n', /date and time/],
    ['0001-01-01T00:00:00+05:30', /2000 to 2099/],
    ['0000-02-29T10:00:00Z', /2000 to 2099/],
    ['1999-12-31T23:59:59Z', /2000 to 2099/],
    ['2100-01-01T00:00:00Z', /2000 to 2099/],
    ['9999-12-31T23:59:59-01:00', /2000 to 2099/],
  ])('refuses %s as placedAt and says what is right', (placedAt, detail) => {
    const errors = errorsOf(order({ placedAt }));
    expect(errors.map(({ pointer }) => pointer)).toContain('/placedAt');
    expect(errors.map((error) => error.detail).join()).toMatch(detail);
  });

  const texts: [string, (text: string) => Record<string, unknown>][] = [
    ['/customerId', (customerId) => ({ customerId })],
    ['/payment/token', (token) => ({ payment: { method: 'card', token } })],
    ['/items/0/note', (note) => ({ items: [{ sku: 'a', quantity: 1, unitPrice: 1, note }] })],
  ];

  test.each(texts)('takes any characters in %s, but control characters and halves of a pair', (pointer, change) => {
    for (const text of ['é', '日本語', '👩‍🍳🍔', '\u2028', '\ufffd', '\uffff', '\u202e', '\u{10ffff}'])
      expect(errorsOf(order(change(text)))).toEqual([]);
    for (const text of [
      '\0',
      'a\u0000b',
      '\u001b[2J',
      '\b',
      '\u007f',
      '\u0085',
      '\u009f',
      '\ud83d',
      'x\ude00',
      '\ude00\ud83d',
    ])
      expect(errorsOf(order(change(text))), JSON.stringify(text)).toEqual([
        { pointer, detail: expect.stringMatching(/control characters|surrogate pair/) },
      ]);
  });

  test('allows lines and tabs only in a note', () => {
    const accepted = texts.map(([, change]) => errorsOf(order(change('one\r\n\ttwo'))).length === 0);
    expect(accepted).toEqual([false, false, true]);
  });

  test('says what an enumeration takes', () => {
    expect(errorsOf(order({ channel: 'pigeon' }))[0]?.detail).toContain('drive-thru');
  });
});

describe('an instant', () => {
  const two = (max: number, min = 0) => fc.integer({ min, max }).map((n) => String(n).padStart(2, '0'));
  const spelled = fc.record({
    year: fc.integer({ min: 2000, max: 2099 }),
    month: two(13),
    day: two(32),
    separator: fc.constantFrom('T', 't', ' '),
    hour: two(24),
    minute: two(60),
    second: two(60),
    fraction: fc.option(fc.stringMatching(/^\d{1,10}$/), { nil: undefined }),
    sign: fc.constantFrom('Z', 'z', '+', '-'),
    offsetHour: two(24),
    offsetMinute: two(60),
  });

  test('is what Date reads as the same moment, and nothing else is one', () => {
    let instants = 0;
    fc.assert(
      fc.property(spelled, (parts) => {
        const { year, month, day, separator, hour, minute, second, fraction, sign, offsetHour, offsetMinute } = parts;
        const offset = /z/i.test(sign) ? sign : `${sign}${offsetHour}:${offsetMinute}`;
        const text = `${year}-${month}-${day}${separator}${hour}:${minute}:${second}${fraction === undefined ? '' : `.${fraction}`}${offset}`;
        const local = new Date(
          Date.UTC(year, Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second)),
        );
        const isInCalendar = local.toISOString().startsWith(`${year}-${month}-${day}T${hour}:${minute}:${second}`);
        const hasOffset = /z/i.test(sign) || (Number(offsetHour) < 24 && Number(offsetMinute) < 60);
        expect(isInstant(text), text).toBe(isInCalendar && hasOffset && (fraction?.length ?? 0) < 10);
        if (!isInstant(text)) return;
        instants++;
        const milliseconds = Number((fraction ?? '').padEnd(3, '0').slice(0, 3));
        const offsetMinutes = /z/i.test(sign)
          ? 0
          : Number(`${sign}1`) * (Number(offsetHour) * 60 + Number(offsetMinute));
        expect(Date.parse(text), text).toBe(local.getTime() + milliseconds - offsetMinutes * 60_000);
      }),
      { numRuns: 20_000 },
    );
    expect(instants).toBeGreaterThan(5_000);
  });
});

describe('order arithmetic', () => {
  const items = [
    { sku: 'burger', quantity: 2, unitPrice: 500, modifiers: [{ sku: 'cheese', unitPrice: 50, quantity: 2 }] },
    { sku: 'cola', quantity: 1, unitPrice: 199 },
  ];

  test('adds modifiers to each of the items', () => {
    expect(orderTotal({ items })).toBe(2 * (500 + 2 * 50) + 199);
  });

  test('adds what the parts of a combo add, and the adjustments that the prices do not contain', () => {
    const cheese = { sku: 'cheese', unitPrice: 50, quantity: 2 };
    const parts = [
      { sku: 'burger', quantity: 1, unitPrice: 0, modifiers: [cheese] },
      { sku: 'fries', quantity: 2, unitPrice: 30 },
    ];
    const combo = { items: [{ sku: 'menu', quantity: 3, unitPrice: 800, parts }] };
    expect(orderTotal(combo)).toBe(3 * (800 + 2 * 50 + 2 * 30));
    expect(Object.fromEntries(stockDemand(combo))).toEqual({ burger: 3, cheese: 6, fries: 6 });
    const adjustments = [
      { kind: 'discount', amount: -98 },
      { kind: 'tip', amount: 200, included: false },
      { kind: 'tax', amount: 83, included: true },
    ] satisfies Order['adjustments'];
    expect(orderTotal({ items, adjustments })).toBe(orderTotal({ items }) - 98 + 200);
  });

  test('takes modifiers from stock once for each item', () => {
    expect(Object.fromEntries(stockDemand({ items }))).toEqual({ burger: 2, cheese: 4, cola: 1 });
  });
});

test('takes for an orderId what the schema takes', () => {
  const isOfSchema = compileValidator(orderIdSchema);
  for (const [text, taken] of [
    ['0192f1c2-7c1a-7cc0-8000-000000000001', true],
    ['0192F1C2-7C1A-7CC0-8000-000000000001', false],
    ['urn:uuid:0192f1c2-7c1a-7cc0-8000-000000000001', false],
    ['0192f1c2-7c1a-7cc0-8000-000000000001\n', false],
    ['', false],
  ] as const) {
    expect(isOrderId(text)).toBe(taken);
    expect(isOfSchema(text).ok).toBe(taken);
  }
});
