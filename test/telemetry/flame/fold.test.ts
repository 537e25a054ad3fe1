import { expect, test } from 'vitest';
import { busyOf, type FlameNode } from '../../../telemetry/flame/flame.ts';
import { foldThreads } from '../../../telemetry/flame/fold.ts';
import { functionsOf, stagesOf } from '../../../telemetry/flame/functions.ts';
import { cpuProfile, heapProfile } from './profiles.ts';

const host = 'onBatch@runtime/host/runtime-host.ts:300';
const pack = 'packBatch@runtime/wire/batch-codec.ts:20';

/** One line for each place that has a weight of its own. */
function lines({ frame, self, children }: FlameNode, above = ''): string[] {
  const path = above === '' ? frame.name : `${above} > ${frame.name}`;
  return [...(self > 0 ? [`${path}: ${self}`] : []), ...children.flatMap((child) => lines(child, path))];
}

test('thread and stage are the first levels; what V8 does for itself is a level like a stage', () => {
  const flame = foldThreads([
    {
      thread: 'main',
      profile: cpuProfile(
        [['eachBatch@node_modules/kafkajs/src/consumer/runner.js:9', host, pack], 500],
        [['eachBatch@node_modules/kafkajs/src/consumer/runner.js:9'], 200],
        [['(idle)'], 5_000],
        [['(garbage collector)'], 40],
        [['eachBatch@node_modules/kafkajs/src/consumer/runner.js:9', host, pack], 100],
      ),
    },
    { thread: 'slot 0', profile: cpuProfile([['(program)'], 60], [['tick@node:internal/timers:5'], 30]) },
  ]);
  expect(flame.unit).toBe('microseconds');
  expect(lines(flame.root).sort()).toEqual([
    'all > main > GC: 40',
    'all > main > fetch > eachBatch: 200',
    'all > main > idle: 5000',
    'all > main > pack > eachBatch > onBatch > packBatch: 600',
    'all > slot 0 > other > tick: 30',
    'all > slot 0 > program: 60',
  ]);
  expect(busyOf(flame)).toBe(930);
  expect(stagesOf(flame).map(({ stage }) => stage)).toEqual(['pack', 'fetch', 'program', 'GC', 'other']);
  expect(stagesOf(flame)[0]).toEqual({ stage: 'pack', share: 600 / 930, threads: { main: 600 / 930 } });
});

test('a garbage collection within a function is no time of the function', () => {
  const profile = cpuProfile([[host, '(garbage collector)'], 10], [[host], 30]);
  expect(lines(foldThreads([{ thread: 'main', profile }]).root)).toEqual([
    'all > main > pack > onBatch: 30',
    'all > main > GC > onBatch: 10',
  ]);
});

test('functions share the time in which a thread was busy, with and without what they call', () => {
  const scan = 'scan@gateway/scan.ts:42';
  const profile = cpuProfile(
    [['(idle)'], 500],
    [[scan], 300],
    // A function that calls itself counts once.
    [[scan, 'helper@gateway/scan.ts:60', scan], 300],
    [['@node:net:42'], 200],
  );
  expect(functionsOf(foldThreads([{ thread: 'main', profile }]))).toEqual([
    { share: 0.75, total: 0.75, name: 'scan', where: 'gateway/scan.ts:42' },
    { share: 0.25, total: 0.25, name: '(anonymous)', where: 'node:net:42' },
  ]);
});

test('functions without a name are told apart by their lines, others are not', () => {
  const profile = cpuProfile(
    [['@node:net:42'], 1],
    [['@node:net:43'], 1],
    [['read@node:net:1'], 1],
    [['read@node:net:2'], 1],
  );
  const functions = functionsOf(foldThreads([{ thread: 'main', profile }])).map(({ name, where }) => [name, where]);
  expect(functions).toHaveLength(3);
});

test('the files of a role that runs in another directory are those of this one', () => {
  const frame = 'packBatch@file:///app/runtime/wire/batch-codec.ts:20';
  const foreign = 'x@file:///app/node_modules/a/node_modules/@b/c/index.js:2';
  const commonJs = foreign.replace('file://', '').replace('index', 'other');
  const profile = cpuProfile([[frame], 4], [[foreign], 3], [[commonJs], 2], [['y@file:///elsewhere/nothing.js:2'], 1]);
  expect(functionsOf(foldThreads([{ thread: 'main', profile }])).map(({ where }) => where)).toEqual([
    'runtime/wire/batch-codec.ts:20',
    'node_modules/@b/c/index.js:2',
    'node_modules/@b/c/other.js:2',
    '/elsewhere/nothing.js:2',
  ]);
});

test('a heap profile counts the bytes of each function', () => {
  const flame = foldThreads([{ thread: 'main', profile: heapProfile([[host, pack], 3_000], [[host], 1_000]) }]);
  expect(flame.unit).toBe('bytes');
  expect(lines(flame.root)).toEqual([
    'all > main > pack > onBatch: 1000',
    'all > main > pack > onBatch > packBatch: 3000',
  ]);
});

test('a thread that was never busy has no shares', () => {
  const flame = foldThreads([{ thread: 'main', profile: cpuProfile([['(idle)'], 10]) }]);
  expect([functionsOf(flame), stagesOf(flame)]).toEqual([[], []]);
});
