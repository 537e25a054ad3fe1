import { expect, test } from 'vitest';
import { judge } from '../../audit/judgement.ts';
import { groups, topics } from '../../contracts/topics.ts';
import { createAuditLog } from './audit-log.ts';

const replayed = { replayed: 1, replayAsked: true };
const validatedOrders = { topic: topics.validatedOrders };

test('a parked order that was replayed is counted under the outcome of its replay', () => {
  const log = createAuditLog();
  log.placed('a');
  log.parked('a', { offset: 0 });
  log.event('a', 'order.rejected');
  log.decided('a', 'rejected');
  log.fate('a', replayed);
  const { counts, faults } = judge(log.evidence());
  expect(faults).toEqual([]);
  expect(counts).toMatchObject({ accepted: 1, rejected: 1, parked: 0, lost: 0, duplicateEffects: 0 });
});

test('a replay in flight: its outcome may be there before it is settled', () => {
  const log = createAuditLog();
  log.placed('a');
  log.parked('a', { offset: 0 });
  log.event('a', 'order.rejected');
  log.decided('a', 'rejected');
  log.fate('a', { parked: 1, replayAsked: true });
  expect(judge(log.evidence()).faults).toEqual([]);
});

test('an outcome beside a dead letter that was not replayed is one too many', () => {
  const log = createAuditLog();
  log.placed('a');
  log.parked('a', { offset: 0 });
  log.event('a', 'order.rejected');
  log.fate('a', { parked: 1 });
  expect(judge(log.evidence()).counts).toMatchObject({ duplicateEffects: 1 });
});

test('an order that was replayed without an outcome is lost; one that failed again or was discarded is parked', () => {
  const log = createAuditLog();
  for (const [index, key] of ['lost', 'again', 'discarded'].entries()) {
    log.placed(key);
    log.parked(key, { offset: index });
  }
  log.fate('lost', replayed);
  log.fate('again', { parked: 1, replayAsked: true });
  log.fate('discarded', { discarded: 1 });
  const { counts, faults } = judge(log.evidence());
  expect(faults).toMatchObject([{ kind: 'lost', subject: 'lost', detail: 'was replayed and has no outcome' }]);
  expect(counts).toMatchObject({ parked: 3, lost: 1 });
});

test('after validation: what was replayed must have its outcome, what waits or was discarded need not', () => {
  const log = createAuditLog();
  const { payment: group } = groups;
  for (const key of ['waits', 'given-up', 'gone']) {
    log.placed(key);
    log.event(key, 'order.validated');
    log.decided(key, 'validated');
    log.parked(key, { ...validatedOrders, group, offset: 0 });
  }
  log.fate('waits', { group, parked: 1 });
  log.fate('given-up', { group, discarded: 1 });
  log.fate('gone', { group, ...replayed });
  const { faults, parkedLater } = judge(log.evidence());
  expect(faults).toMatchObject([{ kind: 'lost', subject: 'gone' }]);
  expect(parkedLater).toMatchObject({ payment: 1 });
});

test('a parked order whose record left its dead-letter topic is parked, as the database says', () => {
  const log = createAuditLog();
  for (const key of ['waits', 'given-up']) log.placed(key);
  log.fate('waits', { parked: 1 });
  log.fate('given-up', { discarded: 1 });
  const { payment: group } = groups;
  log.placed('unpaid');
  log.event('unpaid', 'order.validated');
  log.fate('unpaid', { group, parked: 1 });
  const { counts, faults, parkedLater } = judge(log.evidence());
  expect(faults).toEqual([]);
  expect(counts).toMatchObject({ accepted: 3, parked: 2, validated: 1, lost: 0 });
  expect(parkedLater).toMatchObject({ payment: 1 });
});

test('a parked content beside the order, without its record, is not one that was left untold', () => {
  const log = createAuditLog();
  log.placed('a', { value: '{"total":1}' });
  log.placed('a', { value: 'no order' });
  log.event('a', 'order.validated');
  log.event('a', 'order.payment-failed');
  expect(judge(log.evidence()).counts).toMatchObject({ lost: 1 });
  log.fate('a', { replayed: 1, replayAsked: true });
  expect(judge(log.evidence()).faults).toEqual([]);
});
