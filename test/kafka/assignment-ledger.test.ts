import { expect, test } from 'vitest';
import { AssignmentLedger, listOf } from '../../kafka/consumer/assignment-ledger.ts';
import type { TopicPartition } from '../../kafka/consumer/consumer.ts';
import { NotAMemberError } from '../../kafka/errors.ts';

const places = (...numbers: number[]): TopicPartition[] => numbers.map((partition) => ({ topic: 'orders', partition }));
const [zero, one] = [
  { topic: 'orders', partition: 0 },
  { topic: 'orders', partition: 1 },
];

function assigned(...partitions: number[]): AssignmentLedger {
  const ledger = new AssignmentLedger();
  ledger.assign(places(...partitions), 0);
  return ledger;
}

test('nothing is fetched or handed over before onAssigned has resolved', () => {
  const ledger = assigned(0, 1);
  expect([ledger.has(zero), ledger.takes(zero), ledger.isFetched(zero)]).toEqual([true, false, false]);
  expect(ledger.open()).toEqual(places(0, 1));
  expect([ledger.takes(zero), ledger.isFetched(zero)]).toEqual([true, true]);
});

test('a pause during onAssigned holds, and a resume then waits for it', () => {
  const ledger = assigned(0, 1);
  ledger.pause([zero]);
  ledger.pause([one]);
  expect(ledger.resume([one])).toEqual([]);
  expect(ledger.open()).toEqual([one]);
  expect(ledger.resume([zero])).toEqual([zero]);
});

test('a paused partition is not fetched, and a batch that is on its way is still handed over', () => {
  const ledger = assigned(0);
  ledger.open();
  ledger.pause([zero]);
  expect([ledger.takes(zero), ledger.isFetched(zero)]).toEqual([true, false]);
});

test('a new assignment starts without pauses, and not ready', () => {
  const ledger = assigned(0, 1);
  ledger.open();
  ledger.pause([zero]);
  ledger.assign(places(0), 0);
  expect(ledger.takes(zero)).toBe(false);
  expect(ledger.open()).toEqual([zero]);
  expect(ledger.resume([one])).toEqual([]);
});

test('only positions of the present assignment may be committed', () => {
  const ledger = assigned(0, 1);
  ledger.requireHeld(places(1, 0));
  ledger.assign(places(0), 0);
  expect(() => ledger.requireHeld(places(0, 1))).toThrow(NotAMemberError);
  expect(() => ledger.requireHeld([{ topic: 'payments', partition: 0 }])).toThrow('payments/0');
});

test('partitions in words', () => {
  expect(listOf([])).toBe('nothing');
  expect(listOf([...places(3, 0), { topic: 'payments', partition: 2 }])).toBe('orders 0, 3; payments 2');
});
