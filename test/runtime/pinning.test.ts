import fc from 'fast-check';
import { expect, test } from 'vitest';
import { pin } from '../../runtime/host/partitions/pinning.ts';

const partitionSet = fc.uniqueArray(fc.nat({ max: 60 }), { maxLength: 40 });
const slotCount = fc.integer({ min: 1, max: 9 });

function loads(pins: Map<number, number>, slots: number): number[] {
  const counts = new Array<number>(slots).fill(0);
  for (const slot of pins.values()) counts[slot] = (counts[slot] ?? 0) + 1;
  return counts;
}

test('every partition has a slot, and slots differ by one at most', () => {
  fc.assert(
    fc.property(partitionSet, partitionSet, slotCount, (before, after, slots) => {
      const pins = pin(after, slots, pin(before, slots, new Map()));
      expect([...pins.keys()].sort()).toEqual([...after].sort());
      const counts = loads(pins, slots);
      expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
    }),
  );
});

test('the same assignment again moves nothing', () => {
  fc.assert(
    fc.property(partitionSet, slotCount, (partitions, slots) => {
      const pins = pin(partitions, slots, new Map());
      expect(pin(partitions, slots, pins)).toEqual(pins);
    }),
  );
});

test('no more partitions move than the balance asks for', () => {
  fc.assert(
    fc.property(partitionSet, partitionSet, slotCount, (before, after, slots) => {
      const old = pin(before, slots, new Map());
      const kept = after.filter((partition) => old.has(partition));
      const pins = pin(after, slots, old);
      const moved = kept.filter((partition) => pins.get(partition) !== old.get(partition)).length;
      // A slot must give up partitions beyond its fair share; the larger shares go to the slots that hold most.
      const held = loads(new Map(kept.map((partition) => [partition, old.get(partition) ?? 0])), slots).sort(
        (a, b) => b - a,
      );
      const share = Math.floor(after.length / slots);
      const surplus = after.length % slots;
      const necessary = held.reduce(
        (sum, count, index) => sum + Math.max(0, count - share - (index < surplus ? 1 : 0)),
        0,
      );
      expect(moved).toBe(necessary);
    }),
  );
});
