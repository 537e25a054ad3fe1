import { expect, test } from 'vitest';
import { changedFunctions, compareTrees } from '../../../telemetry/flame/compare.ts';
import { foldThreads } from '../../../telemetry/flame/fold.ts';
import { cpuProfile } from './profiles.ts';

const encode = 'encode@kafka/producer/record-batch.ts:10';
const stringify = 'stringify@kafka/producer/record-batch.ts:5';
const flameOf = (...samples: Parameters<typeof cpuProfile>) =>
  foldThreads([{ thread: 'slot 0', profile: cpuProfile(...samples) }]);

test('shares are compared, so that a longer profile does not look slower', () => {
  const samples: [string[], number][] = [
    [[encode], 100],
    [[stringify], 300],
  ];
  const tenTimes = samples.map(([stack, us]): [string[], number] => [stack, 10 * us]);
  expect(changedFunctions(flameOf(...samples), flameOf(...tenTimes, [['(idle)'], 9_000]))).toEqual([]);
});

test('functions that grew, shrank, came and went are told, the largest change first', () => {
  const before = flameOf([[encode], 500], [[stringify], 400], [['(garbage collector)'], 100]);
  const after = flameOf([[encode], 100], [['copy@kafka/producer/record-batch.ts:70'], 500], [[stringify], 400]);
  const changes = changedFunctions(before, after);
  expect(changes.map(({ name, a, b }) => [name, a, b])).toEqual([
    ['copy', 0, 0.5],
    ['encode', 0.5, 0.1],
    ['GC', 0.1, 0],
  ]);
  expect(changes[0]).toMatchObject({ where: 'kafka/producer/record-batch.ts:70', change: 0.5, totalChange: 0.5 });
});

test('a function that moved to another line is the same one', () => {
  expect(changedFunctions(flameOf([[encode], 1]), flameOf([[encode.replace(':10', ':99')], 1]))).toEqual([]);
});

test('both trees are in one, and what waits is in neither', () => {
  const root = compareTrees(
    flameOf([[encode], 75], [['(idle)'], 1_000], [[stringify], 25]),
    flameOf([[encode, stringify], 1]),
  );
  expect([root.totalA, root.totalB]).toEqual([1, 1]);
  const [thread] = root.children;
  expect(thread?.children.map(({ frame, totalA, totalB }) => [frame.name, totalA, totalB])).toEqual([['encode', 1, 1]]);
  const [stage] = thread?.children ?? [];
  expect(stage?.children.map(({ frame, totalA, totalB }) => [frame.name, totalA, totalB])).toEqual([
    ['encode', 0.75, 1],
    ['stringify', 0.25, 0],
  ]);
});

test('a profile in which nothing was busy compares with another one', () => {
  const idle = flameOf([['(idle)'], 10]);
  expect(changedFunctions(idle, flameOf([[encode], 1])).map(({ a, b }) => [a, b])).toEqual([[0, 1]]);
  expect(compareTrees(idle, idle)).toMatchObject({ totalA: 0, totalB: 0 });
});
