import { expect, test } from 'vitest';
import { Judge } from '../../perf/peers/same-work/judge.ts';
import { type Decision, decideValue } from '../../perf/peers/same-work/work.ts';

const work = { records: 3, totalLimit: 2_500 };

function event(orderId: string, sequence: number, total = 1_000): string {
  return JSON.stringify({ orderId, sequence, storeId: 's', total, currency: 'USD', items: [] });
}

function judge(...values: string[]): () => void {
  const decisions = values.map((value) => JSON.parse(decideValue(value, work.totalLimit)) as Decision);
  const judged = new Judge(work);
  for (const decision of decisions) judged.take(decision.orderId, decision);
  return () => judged.end();
}

test('one decision about each event, in the order of its key, is right', () => {
  expect(judge(event('a', 1), event('b', 1, 2_500), event('a', 2))).not.toThrow();
});

test('lost, repeated and overtaken events are faults', () => {
  expect(judge(event('a', 1), event('b', 1))).toThrow('2 decisions about 3 events');
  expect(judge(event('a', 1), event('a', 1), event('a', 2))).toThrow('a: event 1 follows event 1');
  expect(judge(event('a', 1), event('a', 3), event('a', 2))).toThrow('a: event 3 follows event 1');
});

test('a wrong decision and a wrong key are faults', () => {
  const decision: Decision = JSON.parse(decideValue(event('a', 1, 2_500), 2_500));
  expect(decision.decision).toBe('rejected');
  const judged = new Judge({ records: 1, totalLimit: 2_501 });
  judged.take('b', decision);
  expect(() => judged.end()).toThrow('2 faults: the decision about a has the key b; b: rejected with a total of 2500');
});
