import fc from 'fast-check';
import { expect, test } from 'vitest';
import { limits } from '../../contracts/limits.ts';
import { orderFingerprint } from '../../contracts/order/fingerprint.ts';
import { type Order, orderSchema } from '../../contracts/order/order.ts';
import { compileValidator } from '../../contracts/validation.ts';
import { orderKey } from '../../gateway/orders/order-key.ts';
import { decodeJson } from '../../gateway/orders/scanner/order-bytes.ts';
import { ContentHash, OrderScanner } from '../../gateway/orders/scanner/order-scanner.ts';

const scanner = new OrderScanner();
const hash = new ContentHash();

const text = fc.string({ unit: 'grapheme', maxLength: 6 });
const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const amount = fc.oneof(fc.nat(3), fc.nat());
const order = fc.record(
  {
    storeId: text,
    channel: fc.constantFrom('pos', 'web'),
    placedAt: text,
    currency: text,
    total: amount,
    customerId: optional(text),
    payment: fc.record({ method: fc.constantFrom('card', 'cash'), token: optional(text) }),
    items: fc.array(
      fc.record({
        sku: text,
        quantity: amount,
        unitPrice: amount,
        note: optional(text),
        modifiers: optional(
          fc.array(fc.record({ sku: text, quantity: optional(amount), unitPrice: amount }), { maxLength: 2 }),
        ),
      }),
      { maxLength: 3 },
    ),
  },
  { noNullPrototype: true },
) as unknown as fc.Arbitrary<Order>;

test('the hash differs exactly where the fingerprint differs', () => {
  fc.assert(
    fc.property(order, order, (one, other) => {
      expect(hash.of(one) === hash.of(other)).toBe(orderFingerprint(one) === orderFingerprint(other));
      expect(hash.of(structuredClone(one))).toBe(hash.of(one));
    }),
    { numRuns: 2_000 },
  );
});

test('the hash is a safe integer, and orders that differ in one character differ in both of its halves', () => {
  const hashes = Array.from({ length: 20_000 }, (_, n) =>
    hash.of({
      storeId: 's',
      channel: 'pos',
      placedAt: '2026-11-22T10:00:00.000Z',
      currency: 'USD',
      total: n,
      items: [],
      payment: { method: 'cash', token: String(n) },
    } as unknown as Order),
  );
  expect(hashes.every((hash) => Number.isSafeInteger(hash) && hash >= 0)).toBe(true);
  expect(new Set(hashes).size).toBe(hashes.length);
  // 20,000 draws out of 2^21: the birthday bound leaves some 95 collisions in the upper half alone.
  expect(new Set(hashes.map((hash) => Math.floor(hash / 2 ** 32))).size).toBeGreaterThan(19_700);
});

const validate = compileValidator(orderSchema);

/** What the general way makes of the bytes: decoding, validating, hashing. */
function decodedContent(bytes: Buffer) {
  const decoded = decodeJson(bytes);
  if (!decoded.ok) return undefined;
  const validated = validate(decoded.value);
  if (!validated.ok) return undefined;
  const { orderId, storeId } = validated.value;
  return { key: orderKey(orderId), storeId, content: hash.of(validated.value) };
}

const sample = (): Order => ({
  orderId: '0192f1c2-7c1a-7cc0-8000-000000000001',
  storeId: 'us-il-0001',
  channel: 'drive-thru',
  placedAt: '2026-11-22T10:00:00.000Z',
  currency: 'USD',
  items: [
    {
      sku: 'double-cheeseburger',
      quantity: 2,
      unitPrice: 599,
      modifiers: [
        { sku: 'add-bacon', unitPrice: 120 },
        { sku: 'no-onion', quantity: 1, unitPrice: 0 },
      ],
      note: 'cut in half, please!',
    },
    { sku: 'cola', quantity: 1, unitPrice: 229, modifiers: [] },
    { sku: 'fries-large', quantity: 10, unitPrice: 349 },
  ],
  total: 5147,
  customerId: 'c-1',
  payment: { method: 'card', token: 'tok_visa' },
});

const slug = fc.stringMatching(/^[a-z0-9]{1,4}(-[a-z0-9]{1,3}){0,2}$/);
/** Mostly valid values, and a few others. */
const mostly = <T>(usual: fc.Arbitrary<T>, ...others: fc.Arbitrary<unknown>[]) =>
  fc.oneof({ arbitrary: usual, weight: 60 }, ...others.map((arbitrary) => ({ arbitrary, weight: 1 })));
const anyText = fc.oneof(
  fc.string(),
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom('', '"', '\\', '\u007f', '}', '{"', '\0', '\n', '\u001b', '\u0085', '\ud83d', 'x\ude00', '🍔'),
);
const anyNumber = fc.constantFrom(-1, 0, 0.5, 1e3, 1e21, 1_000, limits.amountMax, limits.amountMax + 1, -0);
const price = mostly(fc.nat(2_000), anyNumber, anyText);
const count = mostly(fc.integer({ min: 1, max: 12 }), anyNumber);
const skus = mostly(slug, anyText, fc.constantFrom('a--b', '-a', 'a-', 'A', 'x'.repeat(64), 'x'.repeat(65)));
const missing = { requiredKeys: [] };
const modifier = mostly(
  fc.record({ sku: skus, unitPrice: price, quantity: count }, { requiredKeys: ['sku', 'unitPrice'] }),
  fc.record({ sku: skus, unitPrice: price, more: anyText }, missing),
);
const item = mostly(
  fc.record(
    {
      sku: skus,
      quantity: count,
      unitPrice: price,
      note: mostly(fc.string({ maxLength: 12 }), anyText, fc.constantFrom('n'.repeat(200), 'n'.repeat(201))),
      modifiers: fc.array(modifier, { maxLength: 3 }),
    },
    { requiredKeys: ['sku', 'quantity', 'unitPrice'] },
  ),
  fc.constantFrom({}, null, []),
);
const times = ['2026-11-22T10:00:00Z', '2026-02-28T23:59:59.999Z', '2026-12-31T00:00:00.000Z'];
const otherTimes = [
  '2024-02-29T00:00:00Z',
  '2026-02-29T00:00:00Z',
  '2026-11-31T00:00:00.000Z',
  '2026-13-01T00:00:00.000Z',
  '2026-00-01T00:00:00.000Z',
  '2026-01-00T00:00:00.000Z',
  '2026-11-22T24:00:00.000Z',
  '2026-11-22T10:60:00.000Z',
  '2026-11-22T10:00:61.000Z',
  '2016-12-31T23:59:60Z',
  '2026-11-22T10:00:00.00Z',
  '2026-11-22t10:00:00z',
  '2026-11-22 10:00:00Z',
  '2026-11-22T10:00:00+01:00',
  '2026-11-22T10:00:00.0x0Z',
  '20a6-11-22T10:00:00Z',
  '1999-12-31T23:59:59Z',
  '2100-01-01T00:00:00Z',
  '0000-02-29T10:00:00Z',
  '0001-01-01T00:00:00+05:30',
  '9999-12-31T23:59:59.000Z',
  '2026-11-22T10:00:00-06',
];
const anyOrder = fc.record(
  {
    orderId: mostly(fc.uuid(), anyText, fc.constant('0192F1C2-7C1A-7CC0-8000-000000000001')),
    storeId: mostly(fc.constantFrom('us-il-0001', 'aa'), skus, fc.constantFrom('a', 'x'.repeat(33))),
    channel: mostly(fc.constantFrom('pos', 'kiosk', 'drive-thru', 'app', 'web', 'delivery'), anyText),
    placedAt: mostly(fc.constantFrom(...times), fc.constantFrom(...otherTimes), anyText),
    currency: mostly(fc.constantFrom('USD', 'EUR'), fc.constantFrom('usd', 'US', 'USDX', ''), anyText),
    items: mostly(fc.array(item, { minLength: 1, maxLength: 4 }), fc.constantFrom([], {}, null)),
    total: price,
    customerId: mostly(fc.stringMatching(/^c-[0-9]{1,5}$/), anyText, fc.constantFrom('c'.repeat(65), null)),
    payment: mostly(
      fc.record({ method: fc.constantFrom('card', 'app', 'cash'), token: fc.constantFrom('tok_1', 't') }),
      fc.record({ method: fc.constantFrom('card', 'cash', 'cheque'), token: fc.constantFrom('t', '') }, missing),
      fc.constantFrom(null, {}, { method: 'cash', more: 1 }),
    ),
  },
  { requiredKeys: ['orderId', 'storeId', 'channel', 'placedAt', 'currency', 'items', 'total', 'payment'] },
);

/** JSON of a value with its members in any order and space between its tokens. */
function spelled(value: unknown, draw: () => number): string {
  const space = () => (draw() % 5 === 0 ? ([' ', '\n', '\r\n', '\t '][draw() % 4] as string) : '');
  const spell = (part: unknown): string => {
    if (Array.isArray(part)) return `[${space()}${part.map((each) => spell(each) + space()).join(`,${space()}`)}]`;
    if (typeof part !== 'object' || part === null) return JSON.stringify(part);
    const members = Object.entries(part).map(([name, each]) => ({ name, each, rank: draw() }));
    members.sort((a, b) => (draw() % 2 === 0 ? a.rank - b.rank : 0));
    const texts = members.map(
      ({ name, each }) => `${space()}${JSON.stringify(name)}${space()}:${space()}${spell(each)}`,
    );
    return `{${texts.join(`${space()},`)}${space()}}`;
  };
  return `${space()}${spell(value)}${space()}`;
}

test('the scanner reads every usual order, with the same result as decoding', () => {
  const usual = [
    sample(),
    { ...sample(), payment: { method: 'cash' } },
    { ...sample(), placedAt: '2026-12-31T23:59:59Z' },
    { ...sample(), total: limits.amountMax },
  ];
  for (const one of usual)
    for (const text of [JSON.stringify(one), JSON.stringify(one, undefined, 2), `${JSON.stringify(one)}\n`]) {
      const content = decodedContent(Buffer.from(text));
      expect(content).toBeDefined();
      for (const likelyStore of [undefined, content?.storeId, `${content?.storeId}-2`, 'x'])
        expect(scanner.scan(Buffer.from(text), likelyStore)).toEqual(content);
    }
});

test('when the scanner reads an order, in any spelling, decoding accepts the order with the same result', () => {
  let scanned = 0;
  fc.assert(
    fc.property(anyOrder, fc.infiniteStream(fc.nat()), (order, draws) => {
      const bytes = Buffer.from(spelled(order, () => draws.next().value as number));
      const found = scanner.scan(bytes);
      if (found === undefined) return;
      scanned++;
      expect(found).toEqual(decodedContent(bytes));
    }),
    { numRuns: 20_000 },
  );
  expect(scanned).toBeGreaterThan(1_000);
});

test('no changed, missing or additional byte makes the scanner and decoding differ', () => {
  const text = JSON.stringify(sample());
  const edit = fc.tuple(
    fc.nat(text.length),
    fc.nat(2),
    fc.oneof(fc.constantFrom(...Buffer.from('"\\{}[],:-09eE. ')), fc.nat(255)),
  );
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 3 }), (edits) => {
      const codes = [...Buffer.from(text)];
      for (const [at, kind, code] of edits) codes.splice(at, kind === 0 ? 0 : 1, ...(kind === 2 ? [] : [code]));
      const bytes = Buffer.from(codes);
      const found = scanner.scan(bytes, sample().storeId);
      if (found !== undefined) expect(found).toEqual(decodedContent(bytes));
    }),
    { numRuns: 20_000 },
  );
});

/** Texts of orders in which one member occurs twice: in any object, before or after, with the same value or another, escaped or not. */
function withRepeats(order: Order): string[] {
  const texts: string[] = [];
  const visit = (value: unknown, put: (text: string) => string) => {
    if (typeof value !== 'object' || value === null) return;
    const entries = Object.entries(value);
    const parts = entries.map(([name, each]) =>
      Array.isArray(value) ? JSON.stringify(each) : `${JSON.stringify(name)}:${JSON.stringify(each)}`,
    );
    const [open, close] = Array.isArray(value) ? '[]' : '{}';
    for (const [index, [name, each]] of entries.entries()) {
      const rest = (text: string) => put(`${open}${parts.with(index, text).join()}${close}`);
      visit(each, (text) => rest(Array.isArray(value) ? text : `${JSON.stringify(name)}:${text}`));
      if (Array.isArray(value)) continue;
      const escaped = `"\\u${name.charCodeAt(0).toString(16).padStart(4, '0')}${name.slice(1)}"`;
      for (const again of [`"${name}":${JSON.stringify(each)}`, `"${name}":0`, `${escaped}:${JSON.stringify(each)}`])
        texts.push(rest(`${again},${parts[index]}`), rest(`${parts[index]},${again}`));
    }
  };
  visit(order, (text) => text);
  return texts;
}

test('a member that occurs twice is refused by the scanner and by decoding, in any object and spelling', () => {
  const texts = withRepeats(sample());
  expect(texts.length).toBeGreaterThan(150);
  for (const text of texts) {
    expect(() => JSON.parse(text)).not.toThrow();
    expect(scanner.scan(Buffer.from(text)), text).toBeUndefined();
    expect(decodeJson(Buffer.from(text)), text).toEqual({ ok: false, detail: expect.stringMatching(/\/\w+ twice/) });
  }
});

test('the scanner does not read an order that is cut off, even if its buffer still has the rest of an earlier order', () => {
  const text = JSON.stringify(sample());
  expect(scanner.scan(Buffer.from(text))).toBeDefined();
  for (let end = 0; end < text.length; end++) expect(scanner.scan(Buffer.from(text.slice(0, end)))).toBeUndefined();
});

test('an order with a missing or additional member is read as by decoding, or not at all', () => {
  const changed = (change: (holder: Record<string, unknown>, name: string) => void) => {
    const orders: unknown[] = [];
    const visit = (path: readonly string[], value: unknown) => {
      if (typeof value !== 'object' || value === null) return;
      for (const name of Object.keys(value)) {
        const order: unknown = sample();
        const holder = path.reduce((part, step) => (part as Record<string, unknown>)[step], order);
        change(holder as Record<string, unknown>, name);
        orders.push(order);
        visit([...path, name], (value as Record<string, unknown>)[name]);
      }
    };
    visit([], sample());
    return orders.map((order) => Buffer.from(JSON.stringify(order)));
  };
  const fewer = changed((holder, name) =>
    Array.isArray(holder) ? holder.splice(Number(name), 1) : delete holder[name],
  );
  const more = changed((holder, name) => {
    if (!Array.isArray(holder)) holder[`${name}x`] = holder[name];
  });
  for (const bytes of [...fewer, ...more]) {
    const found = scanner.scan(bytes);
    if (found !== undefined) expect(found).toEqual(decodedContent(bytes));
  }
});

test('more items or modifiers than the schema allows are not read', () => {
  const item = { sku: 'a', quantity: 1, unitPrice: 1 };
  const items = (count: number) => ({ ...sample(), items: Array.from({ length: count }, () => item) });
  const modifiers = (count: number) => ({
    ...sample(),
    items: [{ ...item, modifiers: Array.from({ length: count }, () => ({ sku: 'a', unitPrice: 1 })) }],
  });
  const isRead = (order: object) => scanner.scan(Buffer.from(JSON.stringify(order))) !== undefined;
  expect([isRead(items(limits.itemsPerOrderMax)), isRead(items(limits.itemsPerOrderMax + 1))]).toEqual([true, false]);
  expect([isRead(modifiers(limits.modifiersPerItemMax)), isRead(modifiers(limits.modifiersPerItemMax + 1))]).toEqual([
    true,
    false,
  ]);
});
