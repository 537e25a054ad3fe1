import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Frontier } from '../../runtime/slot/frontier.ts';

/** Each step appends a message after a gap, or finishes one of the unfinished. */
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('append' as const), gap: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('finish' as const), pick: fc.nat() }) },
);

test('the position is the first unfinished offset, in whatever order messages finish', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 4_000, size: 'max' }), (steps) => {
      const frontier = new Frontier();
      const unfinished = new Map<number, number>();
      let last = -1;
      for (const one of steps) {
        if (one.kind === 'append') {
          last += one.gap;
          unfinished.set(frontier.append(last), last);
        } else if (unfinished.size > 0) {
          const sequence = [...unfinished.keys()][one.pick % unfinished.size] ?? -1;
          unfinished.delete(sequence);
          frontier.finish(sequence);
        }
        const expected = last === -1 ? undefined : Math.min(...unfinished.values(), last + 1);
        expect(frontier.position).toBe(expected);
      }
    }),
    { numRuns: 50 },
  );
});

test('the ring grows past its first size with an unfinished message at its head', () => {
  const frontier = new Frontier();
  const first = frontier.append(7);
  for (let offset = 8; offset < 10_000; offset++) frontier.finish(frontier.append(offset));
  expect(frontier.position).toBe(7);
  expect(frontier.window).toBe(9_993);
  frontier.finish(first);
  expect(frontier.position).toBe(10_000);
  expect(frontier.window).toBe(0);
});

test('finishing twice and going back are refused', () => {
  const frontier = new Frontier();
  const first = frontier.append(5);
  frontier.append(6);
  frontier.finish(first);
  expect(() => frontier.finish(first)).toThrow('finished twice');
  expect(() => frontier.append(6)).toThrow('in order');
});
