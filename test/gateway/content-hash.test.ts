import fc from 'fast-check';
import { expect, test } from 'vitest';
import { orderFingerprint } from '../../contracts/fingerprint.ts';
import type { Order } from '../../contracts/order.ts';
import { contentHash } from '../../gateway/content-hash.ts';

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

test('tells apart what the fingerprint tells apart, and nothing else', () => {
  fc.assert(
    fc.property(order, order, (one, other) => {
      expect(contentHash(one) === contentHash(other)).toBe(orderFingerprint(one) === orderFingerprint(other));
      expect(contentHash(structuredClone(one))).toBe(contentHash(one));
    }),
    { numRuns: 2_000 },
  );
});

test('is a safe integer, and spreads orders that differ in one character over both of its halves', () => {
  const hashes = Array.from({ length: 20_000 }, (_, n) =>
    contentHash({
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
