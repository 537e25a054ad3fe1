import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type HashSeed, newHashSeed, orderKey, readOrderKey } from '../../gateway/orders/order-key.ts';

test('contains every bit of the orderId', () => {
  fc.assert(
    fc.property(fc.uuid(), (orderId) => {
      const { word0, word1, word2, word3, ...key } = orderKey(orderId);
      const words = [word0, word1, word2, word3].map((word) => (word >>> 0).toString(16).padStart(8, '0'));
      expect(words.join('')).toBe(orderId.replaceAll('-', ''));
      expect(key.orderId).toBe(orderId);
    }),
  );
});

test('reads a UUID in lower case, and nothing else', () => {
  const pattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
  const orderId = '0192f1c2-7c1a-7cc0-8000-0000000000af';
  for (let at = 0; at < orderId.length; at++)
    for (let code = 0; code < 256; code++) {
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

/** Ids whose hash is the same under this seed: in each pair of quads, (first, 0) and (0, second) add the same to the sum. */
function colliding(seed: HashSeed): string[] {
  const modulus = 2n ** 31n - 1n;
  let ids: number[][] = [[]];
  for (const at of [0, 2, 4, 6]) {
    const ratio = (BigInt(seed[at] as number) * inverse(BigInt(seed[at + 1] as number), modulus)) % modulus;
    const firsts = Array.from({ length: 65_535 }, (_, n) => n + 1);
    const first = firsts.find((quad) => (BigInt(quad) * ratio) % modulus < 65_536n);
    const second = Number((BigInt(first ?? 0) * ratio) % modulus);
    const pairs =
      first === undefined
        ? [[0, 0]]
        : [
            [first, 0],
            [0, second],
          ];
    ids = ids.flatMap((quads) => pairs.map((pair) => [...quads, ...pair]));
  }
  return ids.map(uuidOf);
}

function inverse(value: bigint, modulus: bigint): bigint {
  let result = 1n;
  for (let [base, power] = [value, modulus - 2n]; power > 0n; power >>= 1n) {
    if (power & 1n) result = (result * base) % modulus;
    base = (base * base) % modulus;
  }
  return result;
}

function uuidOf(quads: readonly number[]): string {
  const digits = quads.map((quad) => quad.toString(16).padStart(4, '0')).join('');
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

function hashes(ids: readonly string[], seed?: HashSeed): Set<number> {
  return new Set(ids.map((id) => readOrderKey(Buffer.from(id), 0, seed)?.hash as number));
}

test('ids that were made to collide under one seed do not collide under another', () => {
  const seed = Float64Array.of(2, 4, 3, 9, 5, 7, 1, 8);
  const made = colliding(seed);
  expect(made).toHaveLength(16);
  expect(hashes(made, seed).size).toBe(1);
  expect(hashes(made, newHashSeed()).size).toBe(made.length);
  expect(hashes(made).size).toBe(made.length);
});

test('30,000 ids that the hash without a seed put into one place are spread', () => {
  const ids = Array.from({ length: 30_000 }, (_, n) => {
    const [b, c, d] = [Math.imul(n, 0x9e3779b1), n, ~n];
    const a = Math.imul(b, 0x9e3779b1) ^ Math.imul(c, 0x85ebca6b) ^ Math.imul(d, 0xc2b2ae35);
    return uuidOf([a, b, c, d].flatMap((word) => [word >>> 16, word & 0xffff]));
  });
  expect(hashes(ids).size).toBeGreaterThan(29_990);
});
