import { expect, test } from 'vitest';
import { SlotOutages } from '../../runtime/slot/slot-outages.ts';
import type { SlotLimits } from '../../runtime/wire/slot-protocol.ts';
import { ManualTimers } from './manual-timers.ts';

const limits: SlotLimits = {
  turnSizeMax: 4,
  turnsMax: 2,
  preparesMax: 3,
  retriesMax: 3,
  retryBackoffMs: 100,
  outageBackoffMs: 100,
  outageBackoffMsMax: 1_000,
  prepareMsMax: 60_000,
  produceDeadlineMs: 1_000,
};

/** The circuits of a slot with a message in flight. Returns whether the database could be probed each time the slot was woken. */
function bench(timers: ManualTimers) {
  const woken: boolean[] = [];
  const outages = new SlotOutages(
    limits,
    { timers, report() {} },
    {
      idle: () => false,
      overtakesPrepare: () => false,
      wake: () => woken.push(outages.circuits.database.passable(timers.now())),
    },
  );
  return { outages, woken };
}

/** The system's timers use another clock than `now`, and fire up to a millisecond early. */
class HastyTimers extends ManualTimers {
  override after(delayMs: number, act: () => void): () => void {
    return super.after(Math.max(0, delayMs > 1 ? delayMs - 1 : delayMs), act);
  }
}

test('a timer that comes a moment too early is not the last one: the slot is woken when a probe may pass', async () => {
  const timers = new HastyTimers();
  const { outages, woken } = bench(timers);
  expect(outages.failed('database', new Error('down'))).toBe(100);
  await timers.run(10);
  expect(woken).toEqual([true]);
});

test('failures during the back-off wake the slot when it is over, not before', async () => {
  const timers = new ManualTimers();
  const { outages, woken } = bench(timers);
  outages.failed('database', new Error('down'));
  timers.after(40, () => outages.failed('database', new Error('down')));
  await timers.run(10);
  expect(timers.now()).toBe(100);
  expect(woken).toEqual([true, true]);
});

test('a clock that is put back keeps no probe away', () => {
  const { outages } = bench(new ManualTimers());
  const { database } = outages.circuits;
  database.fail(3_600_000, 'down');
  expect(database.tryPass(3_600_050)).toBe(false);
  expect(database.tryPass(50)).toBe(true);
});
