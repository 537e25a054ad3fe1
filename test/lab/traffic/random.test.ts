import { expect, test } from 'vitest';
import { createRandom, exponential, weighted, zipf } from '../../../lab/traffic/random.ts';

test('draws are uniform', () => {
  const random = createRandom(1);
  const counts = new Array<number>(10).fill(0);
  for (let draw = 0; draw < 100_000; draw++) {
    const at = random.integer(10);
    counts[at] = (counts[at] ?? 0) + 1;
  }
  for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(500);
});

test('weighted draws follow their weights, and a weight of nothing is never drawn', () => {
  const random = createRandom(2);
  const draw = weighted([
    ['never', 0],
    ['one', 1],
    ['three', 3],
  ] as const);
  const drawn = Array.from({ length: 40_000 }, () => draw(random));
  expect(drawn).not.toContain('never');
  expect(drawn.filter((value) => value === 'three').length / drawn.length).toBeCloseTo(0.75, 1);
});

test('popularity falls with the rank', () => {
  const random = createRandom(3);
  const draw = zipf(['a', 'b', 'c', 'd'], 1);
  const drawn = Array.from({ length: 20_000 }, () => draw(random));
  const count = (name: string) => drawn.filter((value) => value === name).length;
  expect(count('a')).toBeGreaterThan(1.7 * count('b'));
  expect(count('b')).toBeGreaterThan(count('d'));
});

test('waiting times average to one over the rate', () => {
  const random = createRandom(4);
  let sum = 0;
  for (let draw = 0; draw < 50_000; draw++) sum += exponential(random, 5);
  expect(sum / 50_000).toBeCloseTo(0.2, 2);
});
