import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ReadyQueue } from '../../runtime/slot/ready-queue.ts';

test('behaves like push and shift of an array', () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.nat(), { freq: 3 }), { maxLength: 10_000, size: 'max' }), (steps) => {
      const queue = new ReadyQueue<number>();
      const model: number[] = [];
      for (const value of steps) {
        if (value === null) expect(queue.shift()).toBe(model.shift());
        else {
          queue.push(value);
          model.push(value);
        }
        expect(queue.length).toBe(model.length);
      }
    }),
    { numRuns: 20 },
  );
});
