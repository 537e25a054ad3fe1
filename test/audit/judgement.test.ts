import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { FaultKind } from '../../audit/fault.ts';
import { judge } from '../../audit/judgement.ts';
import type { Verdict } from '../../audit/verdict.ts';
import { groups, topics } from '../../contracts/topics.ts';
import { testOrder } from '../actors/support.ts';
import { createAuditLog } from './audit-log.ts';

function expectFault(verdict: Verdict, kind: FaultKind, subject: string, detail: RegExp): void {
  expect(verdict.faults).toMatchObject([{ kind, subject, detail: expect.stringMatching(detail) }]);
  expect(verdict.counts[kind]).toBe(1);
}

const clean = { inFlight: 0, lost: 0, duplicateEffects: 0, outOfOrder: 0 };

test('a log in which every order ended is clean, and every order is counted under its outcome', () => {
  const log = createAuditLog();
  log.served('a');
  log.placed('b');
  log.event('b', 'order.rejected');
  log.placed('c');
  log.parked('c', { offset: 2 });
  log.placed('d');
  log.event('d', 'order.validated');
  log.event('d', 'order.payment-failed');
  const { counts, faults } = judge(log.evidence({ promised: ['a', 'b'] }));
  expect(faults).toEqual([]);
  expect(counts).toEqual({
    accepted: 4,
    validated: 2,
    rejected: 1,
    parked: 1,
    paid: 1,
    paymentFailed: 1,
    cooked: 1,
    bridged: 1,
    warehouse: 0,
    ...clean,
  });
});

test('what lies beyond the frontier is in flight, not lost', () => {
  const log = createAuditLog();
  log.placed('a');
  log.placed('b');
  log.event('b', 'order.validated');
  log.placed('c');
  log.event('c', 'order.validated');
  log.event('c', 'order.paid');
  const none = new Map<number, number>();
  const { counts, faults } = judge(
    log.evidence({ frontiers: { orderValidator: none, payment: none, kitchen: none, bridge: none } }),
  );
  expect(faults).toEqual([]);
  expect(counts).toMatchObject({ accepted: 3, validated: 2, paid: 1, bridged: 0, ...clean, inFlight: 3 });
});

test('an order whose record the validator has committed without an outcome is lost', () => {
  const log = createAuditLog();
  log.served('a');
  log.placed('b');
  expectFault(judge(log.evidence()), 'lost', 'b', /raw-orders without an outcome.*partition 0 offset 1/);
});

test('an order that was answered 202 and never reached the log is lost', () => {
  const log = createAuditLog();
  log.served('a');
  const verdict = judge(log.evidence({ promised: ['a', 'gone', 'gone'] }));
  expectFault(verdict, 'lost', 'gone', /answered 202/);
  expect(verdict.counts.accepted).toBe(2);
});

test('a validated order that the payment group passed without an outcome is lost', () => {
  const log = createAuditLog();
  log.placed('a');
  log.event('a', 'order.validated');
  expectFault(judge(log.evidence()), 'lost', 'a', /without an outcome of its payment/);
});

test('a paid order that the kitchen group passed without a ticket is lost', () => {
  const log = createAuditLog();
  log.placed('a');
  log.event('a', 'order.validated');
  log.event('a', 'order.paid');
  expectFault(judge(log.evidence()), 'lost', 'a', /without a ticket/);
});

test('an order parked by payment or kitchen is not lost', () => {
  const log = createAuditLog();
  log.placed('a');
  log.event('a', 'order.validated');
  log.parked('a', { topic: topics.validatedOrders, group: groups.payment, offset: 0 });
  log.placed('b');
  log.event('b', 'order.validated');
  log.event('b', 'order.paid');
  log.parked('b', { topic: topics.validatedOrders, group: groups.kitchen, offset: 2 });
  const { counts, faults, parkedLater } = judge(log.evidence());
  expect(faults).toEqual([]);
  expect(counts).toMatchObject({ validated: 2, parked: 0, ...clean });
  expect(parkedLater).toEqual({ payment: 1, kitchen: 1, bridge: 0 });
});

test('a charge without a paid event is lost', () => {
  const log = createAuditLog();
  log.placed('a');
  log.event('a', 'order.validated');
  log.event('a', 'order.payment-failed');
  log.charge('a');
  expectFault(judge(log.evidence()), 'lost', 'a', /charged and is not paid/);
});

test('two different outcomes of an order are a duplicate effect', () => {
  const log = createAuditLog();
  log.served('a');
  log.event('a', 'order.rejected');
  expectFault(judge(log.evidence()), 'duplicateEffects', 'a', /2 outcomes: validated, rejected/);
});

test('an order that is validated and parked has two outcomes', () => {
  const log = createAuditLog();
  log.served('a');
  log.parked('a', { offset: 0 });
  expectFault(judge(log.evidence()), 'duplicateEffects', 'a', /validated, parked/);
});

test('paid and payment-failed are a duplicate effect', () => {
  const log = createAuditLog();
  log.served('a');
  log.event('a', 'order.payment-failed');
  expectFault(judge(log.evidence()), 'duplicateEffects', 'a', /both paid and payment-failed/);
});

test('two records of one event id with different bytes are a duplicate effect', () => {
  const log = createAuditLog();
  log.served('a');
  log.event('a', 'order.paid', { value: 'another reference' });
  expectFault(judge(log.evidence()), 'duplicateEffects', 'a', /a\/order\.paid at .* not the same record/);
});

test('byte-identical repeats are no fault, wherever they stand', () => {
  const log = createAuditLog();
  log.served('a');
  log.event('a', 'order.validated');
  log.event('a', 'order.paid');
  log.placed('a');
  const { counts, faults, repeats } = judge(log.evidence());
  expect(faults).toEqual([]);
  expect(counts.accepted).toBe(1);
  expect(repeats).toBe(2);
});

test('a second charge of an order is a duplicate effect', () => {
  const log = createAuditLog();
  log.served('a');
  log.charge('a', 2);
  expectFault(judge(log.evidence()), 'duplicateEffects', 'a', /charged 2 times/);
});

test('a fault that the database alone proves is counted', () => {
  const log = createAuditLog();
  log.faults.push({ kind: 'duplicateEffects', subject: 'us-il-0001', detail: 'stock does not add up' });
  expectFault(judge(log.evidence()), 'duplicateEffects', 'us-il-0001', /stock/);
});

test('a decision that is another one in the log than in the database is a duplicate effect', () => {
  const log = createAuditLog();
  log.placed('a');
  log.event('a', 'order.rejected');
  log.decided('a', 'validated');
  expectFault(judge(log.evidence()), 'duplicateEffects', 'a', /rejected in the log and validated in the database/);
});

test('two taps on a ticket are one event, whatever their time', () => {
  const log = createAuditLog();
  log.served('a');
  const tap = (occurredAt: string, round: number) => JSON.stringify({ orderId: 'a', occurredAt, round });
  log.event('a', 'order.recalled', { round: 1, value: tap('2026-11-23T10:00:00Z', 1) });
  log.event('a', 'order.recalled', { round: 1, value: tap('2026-11-23T10:00:01Z', 1) });
  expect(judge(log.evidence()).faults).toEqual([]);
  log.event('a', 'order.recalled', { round: 1, value: tap('2026-11-23T10:00:01Z', 7) });
  expectFault(judge(log.evidence()), 'duplicateEffects', 'a', /order\.recalled\/1 at .* not the same record/);
});

test('paid before validated is out of order', () => {
  const log = createAuditLog();
  log.placed('a');
  log.event('a', 'order.paid');
  log.event('a', 'order.validated');
  log.ticket('a');
  expectFault(judge(log.evidence()), 'outOfOrder', 'a', /order\.paid .* comes before order\.validated/);
});

test('cooked before paid is out of order', () => {
  const log = createAuditLog();
  log.placed('a');
  log.event('a', 'order.validated');
  log.event('a', 'order.cooked', { round: 1 });
  log.event('a', 'order.paid');
  log.ticket('a');
  expectFault(judge(log.evidence()), 'outOfOrder', 'a', /order\.cooked .* comes before order\.paid/);
});

test('a ticket of an order whose payment failed is out of order', () => {
  const log = createAuditLog();
  log.placed('a');
  log.event('a', 'order.validated');
  log.event('a', 'order.payment-failed');
  log.ticket('a');
  expectFault(judge(log.evidence()), 'outOfOrder', 'a', /ticket although its payment failed/);
});

test('a recalled order is cooked again in its next round; cooked in round 2 without a recall is out of order', () => {
  const log = createAuditLog();
  log.served('a');
  log.event('a', 'order.recalled', { round: 1 });
  log.event('a', 'order.cooked', { round: 2 });
  log.served('b');
  log.event('b', 'order.cooked', { round: 2 });
  expectFault(judge(log.evidence()), 'outOfOrder', 'b', /round 2.* before order\.recalled/);
});

test('an order whose events are in two partitions is out of order', () => {
  const log = createAuditLog();
  log.placed('a');
  log.event('a', 'order.validated');
  log.event('a', 'order.paid', { partition: 1, offset: 5 });
  log.ticket('a');
  expectFault(judge(log.evidence()), 'outOfOrder', 'a', /partition 1/);
});

test('dead letters of one order that overtook each other are out of order', () => {
  const log = createAuditLog();
  log.placed('a', { offset: 3 });
  log.placed('a', { offset: 4 });
  log.parked('a', { offset: 4 });
  log.parked('a', { offset: 3 });
  expectFault(judge(log.evidence()), 'outOfOrder', 'a', /offset 4 before offset 3/);
});

test('dead letters in order, and repeated after a crash, are no fault', () => {
  const log = createAuditLog();
  log.placed('a', { offset: 3 });
  log.placed('a', { offset: 4 });
  for (const offset of [3, 4, 3, 4]) log.parked('a', { offset });
  const { counts, faults } = judge(log.evidence());
  expect(faults).toEqual([]);
  expect(counts).toMatchObject({ accepted: 1, parked: 1, ...clean });
});

test('a record without a key is an order of its own, and its dead letter is its outcome', () => {
  const log = createAuditLog();
  log.placed(null, { offset: 9 });
  log.parked(null, { offset: 9 });
  const { counts, faults } = judge(log.evidence());
  expect(faults).toEqual([]);
  expect(counts).toMatchObject({ accepted: 1, parked: 1 });
});

test('with a start time only orders first placed since then count', () => {
  const log = createAuditLog();
  log.placed('lost-long-ago', { offset: 0 });
  log.placed('a', { offset: 500 });
  log.event('a', 'order.rejected');
  const { counts, faults } = judge(log.evidence({ sinceMs: 1_200 }));
  expect(faults).toEqual([]);
  expect(counts).toMatchObject({ accepted: 1, rejected: 1 });
});

test('every accepted order is validated, rejected, parked, in flight or lost, whatever the log', () => {
  const step = fc.constantFrom('validated', 'rejected', 'parked', 'nothing');
  fc.assert(
    fc.property(fc.array(step), fc.nat({ max: 20 }), (steps, frontier) => {
      const log = createAuditLog();
      for (const [index, outcome] of steps.entries()) {
        const orderId = `order-${index}`;
        log.placed(orderId);
        if (outcome === 'validated') {
          log.event(orderId, 'order.validated');
          log.event(orderId, 'order.payment-failed');
        } else if (outcome === 'rejected') log.event(orderId, 'order.rejected');
        else if (outcome === 'parked') log.parked(orderId, { offset: index });
      }
      const whole = log.evidence();
      const frontiers = { ...whole.frontiers, orderValidator: new Map([[0, frontier]]) };
      const { counts } = judge({ ...whole, frontiers });
      expect(counts.validated + counts.rejected + counts.parked + counts.inFlight + counts.lost).toBe(steps.length);
      expect(counts.lost).toBe(steps.filter((outcome, index) => outcome === 'nothing' && index < frontier).length);
    }),
  );
});

test('other content under an orderId ends as order.conflicting, or it is lost', () => {
  const order = testOrder();
  const other = JSON.stringify({ ...order, total: 1 });
  const log = createAuditLog();
  log.placed('a', { value: JSON.stringify(order) });
  log.event('a', 'order.rejected');
  // A repeat in other notation is the same content.
  log.placed('a', { value: JSON.stringify(order, null, 2) });
  expect(judge(log.evidence())).toMatchObject({ faults: [], conflicting: 0 });
  log.placed('a', { value: other });
  const early = judge(log.evidence({ frontiers: { ...log.evidence().frontiers, orderValidator: new Map([[0, 2]]) } }));
  expect(early.faults).toEqual([]);
  expectFault(judge(log.evidence()), 'lost', 'a', /1 of these contents have no order.conflicting/);
  log.event('a', 'order.conflicting', { round: 1 });
  log.placed('a', { value: other });
  const { counts, conflicting, faults } = judge(log.evidence());
  expect(faults).toEqual([]);
  expect({ conflicting, ...counts }).toMatchObject({ conflicting: 1, accepted: 1, rejected: 1, ...clean });
});

test('a content that is parked, or was decided in place of a parked one, is no conflict', () => {
  const log = createAuditLog();
  log.placed('a', { value: '{"broken":true}' });
  log.parked('a', { offset: 0 });
  log.placed('a', { value: JSON.stringify(testOrder()) });
  log.fate('a', { discarded: 1, replayAsked: true });
  log.event('a', 'order.rejected');
  expect(judge(log.evidence()).faults).toEqual([]);
});
test('records that were removed before a group had read them are lost, each of them, and named', () => {
  const log = createAuditLog();
  log.served('a');
  const range = {
    group: groups.orderValidator,
    topic: topics.rawOrders,
    partition: 3,
    log: 0,
    from: 3,
    to: 23,
    reason: 'removed' as const,
  };
  const verdict = judge(log.evidence({ skipped: [range] }));
  expect(verdict.counts.lost).toBe(20);
  expect(verdict.faults).toMatchObject([
    {
      kind: 'lost',
      subject: 'raw-orders partition 3',
      detail: expect.stringMatching(/20 records \(offsets 3 to 22\) were removed before order-validator had read them/),
    },
  ]);
  // An audit of what came later does not name it again.
  expect(judge(log.evidence({ skipped: [{ ...range, noticedAt: 500 }], sinceMs: 600 })).counts.lost).toBe(0);
});

test('dead letters of different logs are in order, whatever their offsets', () => {
  const log = createAuditLog();
  log.placed('a');
  log.parked('a', { offset: 9 });
  log.parked('a', { offset: 2, log: 1 });
  expect(judge(log.evidence()).faults).toEqual([]);
});

test('says how many bridged events the warehouse lacks, whatever else it holds, unless it was not asked', () => {
  const log = createAuditLog();
  log.served('a');
  const warehouse = (...ids: string[]) => judge(log.evidence({ warehouse: { ids: new Set(ids), parked: 2 } }));
  const lacking = warehouse('b/order.paid', 'c/order.paid');
  expect(lacking).toMatchObject({ notInWarehouse: 1, parkedInWarehouse: 2, counts: { bridged: 1, warehouse: 0 } });
  expect(warehouse('a/order.paid')).toMatchObject({ notInWarehouse: 0, counts: { bridged: 1, warehouse: 1 } });
  expect(judge(log.evidence()).notInWarehouse).toBeUndefined();
});

test('a bridged event is lost when the warehouse lacks it and has much younger ones', () => {
  const log = createAuditLog();
  const minute = 60_000;
  for (const [order, timestamp] of [
    ['old', 0],
    ['parked', 0],
    ['late', 5 * minute],
    ['new', 11 * minute],
  ] as const) {
    log.placed(order);
    log.event(order, 'order.validated');
    log.event(order, 'order.paid', { timestamp });
    log.ticket(order);
  }
  const audit = (...ids: string[]) =>
    judge(log.evidence({ warehouse: { ids: new Set(ids), parked: 1, parkedIds: new Set(['parked/order.paid']) } }));
  const verdict = audit('new/order.paid');
  expect(verdict.faults).toEqual([
    { kind: 'lost', subject: 'old', detail: expect.stringContaining('old/order.paid was bridged and is not in') },
  ]);
  expect(verdict).toMatchObject({ notInWarehouse: 2, counts: { lost: 1 } });
  // On their way, a warehouse that was never started, one that was not asked.
  expect(audit('late/order.paid').faults).toEqual([]);
  expect(audit().faults).toEqual([]);
  expect(judge(log.evidence()).faults).toEqual([]);
});

test('a content that was parked in another log is no conflict, whatever its offset was there', () => {
  const log = createAuditLog();
  const broken = '{"broken":true}';
  log.placed('a', { value: broken });
  log.placed('a', { value: JSON.stringify(testOrder()) });
  log.event('a', 'order.rejected');
  const early = judge(log.evidence());
  expectFault(early, 'lost', 'a', /1 of these contents have no order.conflicting/);
  log.parked('a', { offset: 4_711, log: 1, value: broken });
  log.fate('a', { replayed: 1, replayAsked: true });
  expect(judge(log.evidence()).faults).toEqual([]);
});
