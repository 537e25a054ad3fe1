import { describe, expect, test } from 'vitest';
import { Mailbox } from '../../runtime/slot/mailbox.ts';
import { MessageEntry } from '../../runtime/slot/message-entry.ts';
import { TurnScheduler } from '../../runtime/slot/turn-scheduling.ts';
import { PackedBatch } from '../../runtime/wire/batch-codec.ts';
import type { SlotLimits } from '../../runtime/wire/slot-protocol.ts';
import { ManualTimers } from './manual-timers.ts';

const limits = { turnSizeMax: 10, turnsMax: 2 } as SlotLimits;

function scheduler() {
  const timers = new ManualTimers();
  const turns = new TurnScheduler(limits, timers, () => {});
  const mailbox = new Mailbox<MessageEntry>({
    topic: 'orders',
    partition: 0,
    incarnation: 1,
    epoch: undefined,
    parked: [],
  });
  let sequence = 0;
  const push = (failed: boolean) => {
    const entry = new MessageEntry(mailbox, sequence++, PackedBatch.empty, 0, 0);
    if (failed) entry.failure = { attempts: 1, firstFailedAt: 0, applied: false };
    turns.push(entry);
    return entry;
  };
  /** Turns that begin while the clock stands still, each finished before the next. */
  const turnsNow = () => {
    const formed: MessageEntry[][] = [];
    while (turns.mayBegin()) {
      formed.push(turns.form());
      turns.begun(1);
      turns.ended(1);
    }
    return formed;
  };
  return { timers, turns, push, turnsNow };
}

describe('turn scheduler', () => {
  test('gathers what comes behind the beginning of a turn', async () => {
    const { timers, push, turnsNow } = scheduler();
    const first = push(false);
    expect(turnsNow()).toEqual([[first]]);
    const rest = [push(false), push(false)];
    expect(turnsNow()).toEqual([]);
    await timers.step();
    expect(turnsNow()).toEqual([rest]);
  });

  test('gives each message that has failed before a turn of its own, at once', () => {
    const { push, turnsNow } = scheduler();
    push(false);
    turnsNow();
    const failed = [push(true), push(true), push(true)];
    expect(turnsNow()).toEqual(failed.map((entry) => [entry]));
  });

  test('lets the others have every second turn when they are due, and their gathering is not longer for those that failed', async () => {
    const { timers, push, turnsNow } = scheduler();
    push(false);
    turnsNow();
    const healthy = [push(false), push(false)];
    expect(turnsNow()).toEqual([]);
    const early = push(true);
    expect(turnsNow()).toEqual([[early]]);
    await timers.step();
    const failed = [push(true), push(true)];
    expect(turnsNow()).toEqual([healthy, [failed[0]], [failed[1]]]);
  });
});
