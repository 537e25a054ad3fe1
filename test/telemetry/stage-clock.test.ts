import fc from 'fast-check';
import { expect, test } from 'vitest';
import { stage, stageNames } from '../../telemetry/stages/stage.ts';
import { StageClock } from '../../telemetry/stages/stage-clock.ts';

/** A clock whose time passes, and whose callbacks end, only when the test says so. */
function bench() {
  let ms = 0;
  let ends: (() => void)[] = [];
  const stages = new StageClock({ now: () => ms, afterCallback: (end) => ends.push(end) });
  return {
    stages,
    work(forMs: number): void {
      ms += forMs;
    },
    endCallback(): void {
      const due = ends;
      ends = [];
      for (const end of due) end();
    },
    busyMs: () => Object.fromEntries(stages.totals().map(({ stage, busySeconds }) => [stage, busySeconds * 1_000])),
    now: () => ms,
  };
}

test('a stage inside of another one is charged to itself alone', () => {
  const { stages, work, busyMs } = bench();
  const outside = stages.enter(stage.fetch);
  work(5);
  const before = stages.enter(stage.pack);
  work(3);
  stages.leave(before);
  work(2);
  stages.leave(outside);
  work(100);
  expect(busyMs()).toEqual({ fetch: 7, pack: 3 });
});

test('a stage that is never left ends with its callback, and is not counted twice', () => {
  const { stages, work, endCallback, busyMs } = bench();
  stages.at(stage.store);
  work(4);
  stages.at(stage.store);
  work(1);
  stages.at(stage.decide);
  work(10);
  endCallback();
  work(1_000);
  stages.at(stage.store);
  work(2);
  endCallback();
  endCallback();
  expect(busyMs()).toEqual({ decide: 10, store: 7 });
});

test('with real promises a stage lasts as long as the promises of its callback, and no longer', async () => {
  let ms = 0;
  const stages = new StageClock({ now: () => ms });
  await new Promise<void>((resolve) => {
    setImmediate(async () => {
      stages.at(stage.store);
      ms += 1;
      for (let turn = 0; turn < 10; turn++) await undefined;
      ms += 2;
      // The end of the callback.
      setImmediate(() => {
        ms += 4;
        resolve();
      });
    });
  });
  stages.at(stage.fetch);
  expect(stages.totals()).toMatchObject([{ stage: 'store', busySeconds: 0.003 }]);
});

test('a sampled message counts for all, and its stages add up', () => {
  const { stages, work, busyMs } = bench();
  let timed = 0;
  for (let message = 0; message < 1_100; message++) {
    const isTimed = stages.begin(stage.read);
    if (isTimed) timed++;
    work(1);
    stages.to(stage.check);
    work(2);
    stages.to(stage.append);
    work(3);
    if (isTimed) stages.end();
  }
  expect(timed).toBe(100);
  expect(busyMs()).toEqual({ read: 1_100, check: 2_200, append: 3_300 });
});

test('a sampled message inside of another stage leaves the rest to it', () => {
  const { stages, work, busyMs } = bench();
  const before = stages.enter(stage.produce);
  for (let message = 0; message < 11; message++) {
    work(1);
    const isTimed = stages.begin(stage.read);
    if (!isTimed) continue;
    work(2);
    stages.end();
  }
  work(1);
  stages.leave(before);
  expect(busyMs()).toEqual({ produce: 12, read: 22 });
});

test('whatever stages come and go, the sum is the time that passed in any of them', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('work' as const), ms: fc.nat(50) }),
    fc.record({ kind: fc.constantFrom('enter' as const, 'at' as const), stage: fc.nat(stageNames.length - 1) }),
    fc.record({ kind: fc.constantFrom('leave' as const, 'end' as const) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { stages, work, endCallback, busyMs } = bench();
      const open: number[] = [];
      /** The same in the slowest way: which stage is on, by what the methods promise. */
      let current = -1;
      const expected = new Map<string, number>();
      for (const one of steps) {
        if (one.kind === 'work') {
          work(one.ms);
          const name = stageNames[current];
          if (name !== undefined) expected.set(name, (expected.get(name) ?? 0) + one.ms);
        } else if (one.kind === 'enter') {
          open.push(stages.enter(one.stage));
          current = one.stage;
        } else if (one.kind === 'at') {
          stages.at(one.stage);
          current = one.stage;
        } else if (one.kind === 'leave') {
          const before = open.pop();
          if (before === undefined) continue;
          stages.leave(before);
          current = before;
        } else if (open.length === 0) {
          endCallback();
          // A callback in which `at` was never called from outside has nothing to end, but then nothing is on.
          current = -1;
        }
      }
      stages.leave(-1);
      const sums = busyMs();
      for (const name of stageNames) expect(sums[name] ?? 0).toBeCloseTo(expected.get(name) ?? 0, 6);
    }),
  );
});

test('a clock that is off counts no time', () => {
  const { stages, work, busyMs } = bench();
  stages.enabled = false;
  const before = stages.enter(stage.fetch);
  work(5);
  stages.leave(before);
  stages.at(stage.store);
  work(5);
  for (let message = 0; message < 22; message++) expect(stages.begin(stage.read)).toBe(false);
  expect(busyMs()).toEqual({});
});
