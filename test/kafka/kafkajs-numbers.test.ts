import { createRequire } from 'node:module';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import '../../kafka/kafkajs/kafkajs-numbers.ts';

const require = createRequire(import.meta.url);
const Long = require('kafkajs/src/utils/long.js');
const Decoder = require('kafkajs/src/protocol/decoder.js');
const Encoder = require('kafkajs/src/protocol/encoder.js');

const int64 = fc.oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.maxSafeInteger().map(BigInt));

test('sums, comparisons and texts are those of 64-bit integers', () => {
  fc.assert(
    fc.property(int64, int64, (a, b) => {
      const [left, right] = [Long.fromValue(String(a)), Long.fromValue(String(b))];
      expect(left.add(right).toString()).toBe(String(a + b));
      expect(left.add(String(b)).toString()).toBe(String(a + b));
      expect(left.add(1).toString()).toBe(String(a + 1n));
      expect(left.gte(right)).toBe(a >= b);
      expect(left.gte(String(b))).toBe(a >= b);
      expect(left.compare(right)).toBe(a === b ? 0 : a > b ? 1 : -1);
      expect(left.multiply(-1).toString()).toBe(String(-a));
      expect(Long.isLong(left)).toBe(true);
      expect(left.value).toBe(a);
    }),
  );
});

test('a sum is exact, whether or not a number holds it', () => {
  const most = '9'.repeat(15);
  expect(Long.fromValue(most).add(Long.fromValue(most)).toString()).toBe('1999999999999998');
  // A number can't hold 2^53 + 1.
  expect(Long.fromValue('2').add(Number.MAX_SAFE_INTEGER).toString()).toBe('9007199254740993');
});

test.each(['', '1.5', '1e3', 'twelve'])('%j is as wrong as before', (text) => {
  expect(() => Long.fromValue(text)).toThrow();
});

test('a varlong is read as it was written, and the next value behind it', () => {
  fc.assert(
    fc.property(int64, (value) => {
      const { buffer } = new Encoder().writeVarLong(Long.fromValue(String(value))).writeInt8(7);
      const decoder = new Decoder(buffer);
      expect(decoder.readVarLong().toString()).toBe(String(value));
      expect(decoder.readInt8()).toBe(7);
    }),
  );
});
