import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { errorOf, needsOf } from '../../perf/capacity/model.ts';
import { processorTimes } from '../../perf/capacity/processor-time.ts';

const BURN_US = 300_000;

test('a rate needs the cost of an order times the rate, and cores that are busy for six tenths of their time', () => {
  expect(needsOf({ payment: 95, kitchen: 50 }, 20_000)).toEqual([
    { name: 'payment', coresBusy: 1.9, cores: 4 },
    { name: 'kitchen', coresBusy: 1, cores: 2 },
  ]);
});

test('the error is the share by which an order costs more than foretold', () => {
  expect(errorOf(200, 220)).toBeCloseTo(0.1);
  expect(errorOf(200, 150)).toBeCloseTo(-0.25);
});

test('processor time is that of a process with its children, also those that have ended', async () => {
  const parent = fork(fileURLToPath(new URL('burning-parent.ts', import.meta.url)), [String(BURN_US)]);
  try {
    // Its child has used that much processor time, and has ended.
    await once(parent, 'message');
    const { burnt, gone } = await processorTimes({ burnt: [parent.pid ?? 0], gone: [2 ** 30] });
    // /proc rounds each of four times down to ticks of 10 ms.
    expect(burnt).toBeGreaterThanOrEqual(BURN_US);
    expect(gone).toBe(0);
  } finally {
    parent.kill();
  }
});

test('the times of a role are those of all its processes together', async () => {
  const { once: single = 0, twice = 0 } = await processorTimes({ once: [1], twice: [1, 1] });
  expect(twice).toBe(2 * single);
});
