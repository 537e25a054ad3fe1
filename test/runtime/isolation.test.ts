import { expect, test } from 'vitest';
import { Isolation } from '../../runtime/isolation.ts';

test('steps begin in the order in which they came, and one that must be alone is', async () => {
  const isolation = new Isolation();
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
  const isolation = new Isolation(10);
  isolation.run(true, () => new Promise(() => {}));
  expect(await isolation.run(false, async () => 'went on')).toBe('went on');
});

test('a step that fails lets the next begin', async () => {
  const isolation = new Isolation();
  const failed = isolation.run(true, async () => {
    throw new Error('failed');
  });
  const next = isolation.run(true, async () => 'next');
  await expect(failed).rejects.toThrow('failed');
  expect(await next).toBe('next');
});
