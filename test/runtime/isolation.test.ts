import { expect, test } from 'vitest';
import { Isolation } from '../../runtime/slot/actor/isolation.ts';
import { ManualTimers } from './manual-timers.ts';

test('steps begin in the order in which they came, and one that must be alone is', async () => {
  const isolation = new Isolation(new ManualTimers());
  const log: string[] = [];
  const run = (name: string, alone: boolean) =>
    isolation.run(alone, async () => {
      log.push(`${name} begins`);
      await new Promise((resolve) => setImmediate(resolve));
      log.push(`${name} ends`);
    });
  await Promise.all([run('a', false), run('b', false), run('c', true), run('d', false), run('e', true)]);
  expect(log.slice(0, 4).toSorted()).toEqual(['a begins', 'a ends', 'b begins', 'b ends']);
  expect(log.slice(4)).toEqual(['c begins', 'c ends', 'd begins', 'd ends', 'e begins', 'e ends']);
});

test('a step that never ends holds the others for a limited time', async () => {
  const timers = new ManualTimers();
  const isolation = new Isolation(timers, 10);
  isolation.run(true, () => new Promise(() => {}));
  let outcome: string | undefined;
  isolation
    .run(false, async () => 'went on')
    .then((went) => {
      outcome = went;
    });
  expect(timers.now()).toBe(0);
  await timers.run();
  expect(outcome).toBe('went on');
  expect(timers.now()).toBe(10);
});

test('a step that fails lets the next begin', async () => {
  const isolation = new Isolation(new ManualTimers());
  const failed = isolation.run(true, async () => {
    throw new Error('failed');
  });
  const next = isolation.run(true, async () => 'next');
  await expect(failed).rejects.toThrow('failed');
  expect(await next).toBe('next');
});
