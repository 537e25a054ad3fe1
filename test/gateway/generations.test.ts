import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Generations } from '../../gateway/identity/generations.ts';

test('never holds more than its bound, and never forgets the younger half of it', () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 20 }), fc.array(fc.nat(60), { maxLength: 200 }), (entriesMax, keys) => {
      const map = new Generations<number>(entriesMax, 1_000, 0);
      const written: string[] = [];
      for (const [index, key] of keys.entries()) {
        map.set(String(key), index, 0);
        written.push(String(key));
        expect(map.size).toBeLessThanOrEqual(entriesMax);
        // A generation turns when it is full, so half of the bound is always behind the newest entry.
        for (const recent of written.slice(-Math.floor(entriesMax / 2))) expect(map.get(recent)).toBeDefined();
      }
    }),
  );
});

test('an entry lives at least half of the age and at most the whole', () => {
  const map = new Generations<string>(1_000, 1_000, 0);
  map.set('a', 'first', 400);
  map.expire(899);
  expect(map.get('a')).toBe('first');
  map.expire(1_000);
  map.expire(1_500);
  expect(map.get('a')).toBeUndefined();
});

test('after a long quiet time everything is forgotten at once', () => {
  const map = new Generations<string>(1_000, 1_000, 0);
  map.set('a', 'first', 0);
  map.expire(10_000);
  expect(map.size).toBe(0);
});

test('delete reaches both generations', () => {
  const map = new Generations<string>(1_000, 1_000, 0);
  map.set('a', 'first', 0);
  map.expire(500);
  map.set('b', 'second', 500);
  map.delete('a');
  map.delete('b');
  expect(map.size).toBe(0);
});
