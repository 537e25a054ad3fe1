import { randomInt } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { limits } from '../../contracts/limits.ts';
import { orderFingerprint } from '../../contracts/order/fingerprint.ts';
import { type Order, orderSchema } from '../../contracts/order/order.ts';
import { planOf } from '../../gateway/orders/scanner/generation/schema-plan.ts';
import { decodeJson } from '../../gateway/orders/scanner/order-bytes.ts';
import { createRandom } from '../../lab/traffic/random.ts';
import { withPartOf } from './scanner/document-parts.ts';
import { createReferee, isUsual } from './scanner/referee.ts';
import { nearDocuments, type Schema, usualDocuments } from './scanner/schema-documents.ts';
import { damaged, spelled, withRepeats } from './scanner/spellings.ts';
import { unreadParts } from './scanner/unread-parts.ts';

/** `SCANNER_BODIES=1000000 SCANNER_SEED=7 npx vitest run --project unit test/gateway/order-scanner.test.ts` for more bodies, or a repeat. */
const seed = Number(process.env.SCANNER_SEED ?? randomInt(2 ** 31));
const bodiesMax = Number(process.env.SCANNER_BODIES ?? 40_000);
const BODIES_A_DOCUMENT = 20;

const referee = createReferee(orderSchema);
const documents = usualDocuments(orderSchema as Schema);

test('the scanner reads every member of the order, without a regular expression', () => {
  let tags = 0;
  expect(unreadParts(planOf(orderSchema, () => ++tags))).toEqual([]);
});

test(`the hash differs exactly where the fingerprint differs, seed ${seed}`, () => {
  const outcomes = { same: 0, different: 0 };
  fc.assert(
    fc.property(documents, documents, fc.infiniteStream(fc.nat()), (one, donor, draws) => {
      const other = withPartOf(one, donor, (below) => (draws.next().value as number) % below);
      if (!referee.isValid(other)) return;
      const isSame = referee.hashOf(one) === referee.hashOf(other);
      expect(isSame).toBe(orderFingerprint(one as Order) === orderFingerprint(other as Order));
      outcomes[isSame ? 'same' : 'different']++;
    }),
    { numRuns: 4_000, seed },
  );
  expect(Math.min(outcomes.same, outcomes.different)).toBeGreaterThan(100);
});

test('the hash is a safe integer, and orders that differ in one character differ in both of its halves', () => {
  const hashes = Array.from({ length: 20_000 }, (_, n) =>
    referee.hashOf({
      storeId: 's',
      channel: 'pos',
      placedAt: '2026-11-22T10:00:00.000Z',
      currency: 'USD',
      total: n,
      items: [],
      payment: { method: 'cash', token: String(n) },
    }),
  );
  expect(hashes.every((hash) => Number.isSafeInteger(hash) && hash >= 0)).toBe(true);
  expect(new Set(hashes).size).toBe(hashes.length);
  // 20,000 draws out of 2^21: the birthday bound leaves some 95 collisions in the upper half alone.
  expect(new Set(hashes.map((hash) => Math.floor(hash / 2 ** 32))).size).toBeGreaterThan(19_700);
});

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

test('the scanner takes the store of the token, if the order is of that store', () => {
  const usual = [
    sample(),
    { ...sample(), payment: { method: 'cash' } },
    { ...sample(), placedAt: '2026-12-31T23:59:59Z' },
    { ...sample(), total: limits.amountMax },
  ];
  for (const one of usual)
    for (const text of [JSON.stringify(one), JSON.stringify(one, undefined, 2), `${JSON.stringify(one)}\n`]) {
      const content = referee.decodedContent(Buffer.from(text));
      expect(content).toBeDefined();
      for (const likelyStore of [undefined, content?.storeId, `${content?.storeId}-2`, 'x'])
        expect(referee.scan(Buffer.from(text), likelyStore)).toEqual(content);
    }
});

test(`the scanner reads every usual order, with the same result as decoding, seed ${seed}`, () => {
  const random = createRandom(seed);
  fc.assert(
    fc.property(documents, (document) => {
      for (const text of [JSON.stringify(document), JSON.stringify(document, undefined, 2), spelled(document, random)])
        expect(referee.judge(Buffer.from(text))).toBe('read');
    }),
    { numRuns: 2_000, seed },
  );
});

test(`no order and no damage makes the scanner and decoding differ, seed ${seed}`, { timeout: 3_600_000 }, () => {
  const random = createRandom(seed);
  const counts = { read: 0, left: 0, refused: 0 };
  const numRuns = Math.ceil(bodiesMax / BODIES_A_DOCUMENT);
  fc.assert(
    fc.property(nearDocuments(orderSchema as Schema), (document) => {
      const whole = Buffer.from(spelled(document, random));
      for (let body = 0; body < BODIES_A_DOCUMENT; body++) {
        const bytes = body === 0 ? whole : damaged(whole, random);
        const verdict = referee.judge(bytes, sample().storeId);
        counts[verdict]++;
        if (verdict === 'left') expect(isUsual(bytes), bytes.toString('latin1')).toBe(false);
      }
    }),
    { numRuns, seed, endOnFailure: true },
  );
  console.log(`${numRuns * BODIES_A_DOCUMENT} bodies of seed ${seed}: ${JSON.stringify(counts)}`);
  expect(Math.min(counts.read, counts.refused)).toBeGreaterThan(bodiesMax / 50);
});

test('a member that occurs twice is refused by the scanner and by decoding, in any object and spelling', () => {
  const texts = withRepeats(sample());
  expect(texts.length).toBeGreaterThan(150);
  for (const text of texts) {
    expect(() => JSON.parse(text)).not.toThrow();
    expect(referee.scan(Buffer.from(text)), text).toBeUndefined();
    expect(decodeJson(Buffer.from(text)), text).toEqual({ ok: false, detail: expect.stringMatching(/\/\w+ twice/) });
  }
});

test('the scanner does not read an order that is cut off, even if its buffer still has the rest of an earlier order', () => {
  const text = JSON.stringify(sample());
  expect(referee.scan(Buffer.from(text))).toBeDefined();
  for (let end = 0; end < text.length; end++) expect(referee.scan(Buffer.from(text.slice(0, end)))).toBeUndefined();
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
    const found = referee.scan(bytes);
    if (found !== undefined) expect(found).toEqual(referee.decodedContent(bytes));
  }
});

test('more items or modifiers than the schema allows are not read', () => {
  const item = { sku: 'a', quantity: 1, unitPrice: 1 };
  const items = (count: number) => ({ ...sample(), items: Array.from({ length: count }, () => item) });
  const modifiers = (count: number) => ({
    ...sample(),
    items: [{ ...item, modifiers: Array.from({ length: count }, () => ({ sku: 'a', unitPrice: 1 })) }],
  });
  const isRead = (order: object) => referee.scan(Buffer.from(JSON.stringify(order))) !== undefined;
  expect([isRead(items(limits.itemsPerOrderMax)), isRead(items(limits.itemsPerOrderMax + 1))]).toEqual([true, false]);
  expect([isRead(modifiers(limits.modifiersPerItemMax)), isRead(modifiers(limits.modifiersPerItemMax + 1))]).toEqual([
    true,
    false,
  ]);
});
