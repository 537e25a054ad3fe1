import fc from 'fast-check';
import { expect, test } from 'vitest';
import { orderKey, readOrderKey } from '../../gateway/order-key.ts';

test('has every bit of the orderId', () => {
  fc.assert(
    fc.property(fc.uuid(), (orderId) => {
      const { word0, word1, word2, word3, ...key } = orderKey(orderId);
      const words = [word0, word1, word2, word3].map((word) => (word >>> 0).toString(16).padStart(8, '0'));
      expect(words.join('')).toBe(orderId.replaceAll('-', ''));
      expect(key.orderId).toBe(orderId);
    }),
  );
});

test('reads what is a UUID in lower case, and nothing else', () => {
  const pattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
  const orderId = '0192f1c2-7c1a-7cc0-8000-0000000000af';
  for (let at = 0; at < orderId.length; at += 1)
    for (let code = 0; code < 256; code += 1) {
      const bytes = Buffer.from(`"${orderId}"`);
      bytes[at + 1] = code;
      const text = bytes.toString('latin1', 1, 37);
      expect(readOrderKey(bytes, 1)?.orderId).toBe(pattern.test(text) ? text : undefined);
    }
  expect(() => orderKey('not-one')).toThrow('not-one is not a UUID in lower case');
});

test('spreads ids that count up', () => {
  const keys = Array.from({ length: 100_000 }, (_, n) =>
    orderKey(`0192f1c2-7c1a-7cc0-8000-${n.toString(16).padStart(12, '0')}`),
  );
  // Drawn at random, 100,000 of 2^32 hashes would collide once or so, and leave some 63,000 of 100,000 places taken.
  expect(new Set(keys.map(({ hash }) => hash)).size).toBeGreaterThan(99_990);
  expect(new Set(keys.map(({ hash }) => (hash >>> 0) % 100_000)).size).toBeGreaterThan(62_000);
});
