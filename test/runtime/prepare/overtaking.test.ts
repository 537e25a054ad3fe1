import { expect, test } from 'vitest';
import { type Actor, OutageError } from '../../../runtime/actor.ts';
import { OutageBoard, outageEffects } from '../../../runtime/host/outage-board.ts';
import { bench, records } from '../engine-bench.ts';

/** Messages of keys that begin with "cash" need no provider. */
function payments(provider: { down: boolean }, applied: string[]): Actor<unknown, unknown> {
  return {
    decode: ({ key }) => key,
    prepareAtOnce: (key) => (String(key).startsWith('cash') ? 'cash' : undefined),
    async prepare(key) {
      if (provider.down) throw new OutageError('the provider is down');
      return `card ${key}`;
    },
    async apply(items) {
      for (const { message, prepared } of items) applied.push(`${message.key}/${message.offset}: ${prepared}`);
      return items.map(() => []);
    },
  };
}

test('while the provider is down, cash behind cards goes on, and cards follow in order of their key', async () => {
  const provider = { down: true };
  const applied: string[] = [];
  const one = bench(payments(provider, applied));
  one.open(0);
  const keys = Array.from({ length: 40 }, (_, index) => `card-${index}`);
  one.take(0, records(...keys, 'cash-1', 'card-0', 'cash-2'));
  await one.timers.advance(3_000);
  expect(applied).toEqual(['cash-1/40: cash', 'cash-2/42: cash']);
  expect(one.frontiers.get(0)).toBe(0);
  expect(one.engine.prepares).toMatchObject({ inFlight: 0 });
  expect(one.engine.prepares?.waiting).toBeGreaterThan(30);
  const outages = one.reports.filter((report) => report.kind === 'outage');
  expect(outages.at(-1)).toMatchObject({ dependency: 'prepare', stops: 'some' });
  provider.down = false;
  await one.timers.run();
  expect(one.frontiers.get(0)).toBe(43);
  expect(one.engine.prepares).toMatchObject({ inFlight: 0, waiting: 0 });
  expect(applied).toHaveLength(43);
  expect(applied.filter((text) => text.startsWith('card-0/'))).toEqual([
    'card-0/0: card card-0',
    'card-0/41: card card-0',
  ]);
});

test('a partition that is given up while cards wait leaves none of them behind', async () => {
  const provider = { down: true };
  const one = bench(payments(provider, []));
  one.open(0);
  one.open(1);
  one.take(0, records(...Array.from({ length: 40 }, (_, index) => `card-${index}`)));
  one.take(1, records('card-x', 'card-y'));
  await one.timers.advance(3_000);
  const drained = one.engine.drain(0);
  await one.timers.advance(1_000);
  expect(await drained).toBe(0);
  one.engine.close(0);
  expect(one.engine.prepares?.waiting).toBeLessThanOrEqual(2);
  provider.down = false;
  await one.timers.run();
  expect(one.frontiers.get(1)).toBe(2);
});

test('while calls are only bounded, cash overtakes the cards that wait for room', async () => {
  const applied: string[] = [];
  const answers: (() => void)[] = [];
  const actor = payments({ down: false }, applied);
  const one = bench({
    ...actor,
    prepare: (key) => new Promise((resolve) => answers.push(() => resolve(`card ${key}`))),
  });
  one.open(0);
  one.take(0, records('card-1', 'card-2', 'card-3', 'card-4', 'card-5', 'cash-1'));
  await one.timers.advance(100);
  expect(answers).toHaveLength(3);
  expect(applied).toEqual(['cash-1/5: cash']);
  while (one.frontiers.get(0) !== 6) {
    for (const answer of answers.splice(0)) answer();
    await one.timers.advance(100);
  }
  expect(applied).toHaveLength(6);
});

test('a message that is tried again does not queue up behind the backlog', async () => {
  const order: string[] = [];
  let failures = 1;
  const one = bench({
    decode: ({ key }) => key,
    async prepare(key) {
      order.push(String(key));
      if (key === 'lost' && failures-- > 0) throw new OutageError('the answer is lost');
      await new Promise<void>((resolve) => one.timers.after(50, resolve));
    },
  });
  one.open(0);
  const keys = Array.from({ length: 100 }, (_, index) => `k${index}`);
  one.take(0, records('lost', ...keys));
  await one.timers.run();
  expect(order.lastIndexOf('lost')).toBeLessThan(10);
  expect(one.frontiers.get(0)).toBe(101);
});

test('readiness says that others go on, and only an outage that stops all holds partitions', () => {
  const board = new OutageBoard();
  board.note('slot-0', 'prepare', 'the provider is down', 0, 'some');
  expect(board.summary).toBe(`slot-0/prepare is down (the provider is down): ${outageEffects.some}`);
  expect(board.stopsAll('slot-0')).toBe(false);
  board.note('slot-0', 'database', 'no answer', 0, 'all');
  expect(board.stopsAll('slot-0')).toBe(true);
});
