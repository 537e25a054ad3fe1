import { describe, expect, test } from 'vitest';
import { mutants } from './mutants.ts';
import { simulate } from './simulation.ts';

const SEEDS = 3_000;
/** Vitest reports each block of seeds as a test, so that a failure shows early where to look. */
const BLOCK = 500;
/** Each mutant must be caught within this many seeds. The unchanged code passes them. */
const MUTANT_SEEDS = 300;

const command = (seed: number) => `npm run simulate -- --seed ${seed} --trace`;

describe('the invariants hold under every interleaving that was tried', () => {
  const blocks = Array.from({ length: SEEDS / BLOCK }, (_, block) => block * BLOCK + 1);
  test.each(blocks)(
    '%i and the seeds after it',
    async (first) => {
      const failures: string[] = [];
      for (let seed = first; seed < first + BLOCK; seed++) {
        const { violation } = await simulate(seed);
        if (violation !== undefined) failures.push(`${violation}\n  replay: ${command(seed)}`);
      }
      expect(failures).toEqual([]);
    },
    120_000,
  );
});

test.each([
  ['a thread dies in an outage and its partitions stay paused', 2950],
  ['the last message of an outage is poison and the outage is never over', 2207],
  ['a replayed message waits for the next live one on a quiet slot', 6],
  ['replays prepare more messages at a time than the bound', 18],
  ['the answer of a release is lost and the thread parks the key for ever', 211],
  ['a discarded message is worked on by a new owner, because a later batch made it forget', 3841],
  ['an assignment and a new thread open the same partition, and messages in between are dropped', 4999],
  ['a killer that is delivered again while its replay kills threads has its deaths forgotten each time', 2837],
  ['a thread dies while its partitions are given up, and they go on without what came meanwhile', 303_470],
  ['the same without a database', 312_413],
  ['a revocation that takes longer than its assignment hides that of the next one', 518_592],
])('fixed once: %s', async (_, seed) => {
  expect((await simulate(seed)).violation, command(seed)).toBeUndefined();
});

test.each(mutants)(
  '$name is caught: $description',
  async (mutant) => {
    const { firstSeed = 1 } = mutant;
    for (let seed = firstSeed; seed < firstSeed + MUTANT_SEEDS; seed++) {
      const { violation } = await simulate(seed, { mutant });
      if (violation !== undefined) return;
    }
    expect.fail(`${mutant.name} passed ${MUTANT_SEEDS} seeds`);
  },
  60_000,
);

test('the same seed is the same run', async () => {
  for (const seed of [1, 12, 1_108]) {
    const [first, second] = [await simulate(seed), await simulate(seed)];
    expect(second).toEqual(first);
  }
  expect((await simulate(1)).traceHash).not.toBe((await simulate(2)).traceHash);
});
