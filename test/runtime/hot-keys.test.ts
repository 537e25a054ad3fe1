import { expect, test } from 'vitest';
import { HotKeySampler, SpaceSaving } from '../../runtime/slot/hot-keys.ts';
import { PackedBatch, packBatch } from '../../runtime/wire/batch-codec.ts';

test('every key more frequent than total / capacity is found, and its count is off by no more than it says', () => {
  const sketch = new SpaceSaving(10, 1_000_000);
  const counted = new Map<string, number>();
  const add = (key: string) => {
    sketch.add(key);
    counted.set(key, (counted.get(key) ?? 0) + 1);
  };
  for (let i = 0; i < 3_000; i++) {
    add(`once-${i}`);
    if (i % 2 === 0) add('hot');
    if (i % 4 === 0) add('warm');
  }
  const total = [...counted.values()].reduce((sum, count) => sum + count, 0);
  const top = sketch.top(2);
  expect(top.map(({ key }) => key)).toEqual(['hot', 'warm']);
  for (const { key, share, error } of top) {
    const truth = (counted.get(key) ?? 0) / total;
    expect(share).toBeGreaterThanOrEqual(truth);
    expect(share - error).toBeLessThanOrEqual(truth);
  }
});

test('keys that came once are not called hot', () => {
  const sketch = new SpaceSaving(10, 1_000_000);
  for (let i = 0; i < 1_000; i++) sketch.add(`once-${i}`);
  expect(sketch.top(10)).toEqual([]);
});

test('a key that was hot long ago is forgotten', () => {
  const sketch = new SpaceSaving(10, 100);
  for (let i = 0; i < 50; i++) sketch.add('yesterday');
  for (let i = 0; i < 2_000; i++) sketch.add('today');
  expect(sketch.top(1).map(({ key }) => key)).toEqual(['today']);
  expect(sketch.top(10).map(({ key }) => key)).not.toContain('yesterday');
});

test('the sampler finds the hot key of batches of any size', () => {
  const sampler = new HotKeySampler();
  let offset = 0;
  for (const size of [1, 7, 61, 400, 3, 1_000, 2, 2_500]) {
    const records = Array.from({ length: size }, () => {
      const key = offset % 3 === 0 ? 'hot' : `order-${offset}`;
      return {
        offset: offset++,
        timestamp: 0,
        key: Buffer.from(key),
        value: Buffer.from(`value of ${key}`),
        headers: {},
      };
    });
    sampler.take(new PackedBatch(packBatch(records).buffer));
  }
  const [first] = sampler.top(1);
  expect(first?.key).toBe('hot');
  expect(first?.share).toBeGreaterThan(0.2);
  expect(first?.share).toBeLessThan(0.5);
});

test('records without a key have no hot key', () => {
  const sampler = new HotKeySampler();
  const records = Array.from({ length: 200 }, (_, offset) => ({
    offset,
    timestamp: 0,
    key: null,
    value: null,
    headers: {},
  }));
  sampler.take(new PackedBatch(packBatch(records).buffer));
  expect(sampler.top(5)).toEqual([]);
});
