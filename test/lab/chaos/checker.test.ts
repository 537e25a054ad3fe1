import { describe, expect, test } from 'vitest';
import { groups, topics } from '../../../contracts/topics.ts';
import { check } from '../../../lab/chaos/checker/check.ts';
import { rewinds } from '../../../lab/chaos/checker/commits.ts';
import { type HandMadeHistory, soundHistory } from './hand-made-history.ts';

const { rawOrders, validatedOrders, rejectedOrders } = topics;

/** What the checker finds in a good history after one change. */
function found(spoil: (history: HandMadeHistory) => void): string[] {
  const history = soundHistory();
  spoil(history);
  return check(history).map(({ kind, orderId, detail }) => `${kind}: ${orderId} ${detail}`);
}

const remove = (history: HandMadeHistory, topic: string, type: string) => {
  const records = history.records.get(topic) ?? [];
  const at = records.findIndex(({ headers }) => headers.ce_id?.endsWith(`/${type}`));
  expect(at).toBeGreaterThanOrEqual(0);
  records.splice(at, 1);
};

describe('the checker', () => {
  test('finds nothing in a sound history', () => {
    expect(found(() => {})).toEqual([]);
  });

  test('takes redelivery for what it is: the same records again, also behind later ones, and a position that goes back', () => {
    expect(
      found((history) => {
        history.log(rawOrders, 'a', 'order.placed', 90);
        history.log(validatedOrders, 'a', 'order.validated', 91);
        history.log(validatedOrders, 'a', 'order.paid', 92);
        history.commit(groups.orderValidator, rawOrders, 1, 93);
        history.commit(groups.orderValidator, rawOrders, 3, 94);
        expect(rewinds(history.commits)).toBe(1);
      }),
    ).toEqual([]);
  });

  test('takes an order without an answer as it finds it: there or not', () => {
    expect(
      found((history) => {
        history.log(rawOrders, 'c', 'order.placed', 5);
        history.log(rejectedOrders, 'c', 'order.rejected', 9);
        history.effects.set('c', { decision: 'rejected', payment: null, charges: 0, ticket: false });
      }),
    ).toEqual([]);
  });

  test('takes a parked order for finished', () => {
    expect(
      found((history) => {
        history.send('p', 202, 5);
        history.log(rawOrders, 'p', 'order.placed', 5);
        history.park('p', 2, 8);
        history.commit(groups.orderValidator, rawOrders, 3, 90);
      }),
    ).toEqual([]);
  });
});

describe('a lost write is found', () => {
  test.each<[string, (history: HandMadeHistory) => void, RegExp]>([
    [
      'an order answered 202 that is nowhere',
      (history) => history.send('x', 202, 5),
      /^lost write: x was answered 202/,
    ],
    [
      'an order in the log that was never decided',
      (history) => history.log(rawOrders, 'x', 'order.placed', 5),
      /^lost write: x raw-orders 0:2 is neither validated nor rejected/,
    ],
    [
      'a validated order that was never paid for',
      (history) => {
        history.send('x', 202, 5);
        history.log(rawOrders, 'x', 'order.placed', 5);
        history.log(validatedOrders, 'x', 'order.validated', 8);
        history.effects.set('x', { decision: 'validated', payment: null, charges: 0, ticket: false });
      },
      /^lost write: x .* neither paid nor failed/,
    ],
    [
      'a paid order without a ticket',
      (history) => history.effects.set('a', { decision: 'validated', payment: 'paid', charges: 1, ticket: false }),
      /^lost write: a .* no ticket/,
    ],
    [
      'a bump that was acknowledged and is nowhere',
      (history) => remove(history, validatedOrders, 'order.cooked/2'),
      /^lost write: a the bump of round 2/,
    ],
  ])('%s', (_, spoil, expected) => {
    expect(found(spoil)).toEqual([expect.stringMatching(expected)]);
  });
});

describe('a duplicate effect is found', () => {
  test.each<[string, (history: HandMadeHistory) => void, RegExp]>([
    [
      'an event with two contents',
      (history) => history.log(validatedOrders, 'a', 'order.paid', 90, { value: '{"reference":"another"}' }),
      /^duplicate effect: a a\/order\.paid at validated-orders 0:1 and at validated-orders 0:5/,
    ],
    [
      'an order with two outcomes',
      (history) => history.log(rejectedOrders, 'a', 'order.rejected', 90),
      /^duplicate effect: a .*order\.validated, order\.rejected/,
    ],
    [
      'a rejected order that is parked as well',
      (history) => history.park('b', 1, 9),
      /^duplicate effect: b .*order\.rejected, parked/,
    ],
    [
      'an order that was paid and not paid',
      (history) => history.log(validatedOrders, 'a', 'order.payment-failed', 90),
      /^duplicate effect: a .*order\.paid, order\.payment-failed/,
    ],
    [
      'two charges',
      (history) => history.effects.set('a', { decision: 'validated', payment: 'paid', charges: 2, ticket: true }),
      /^duplicate effect: a was charged 2 times/,
    ],
    [
      'a decision that the database does not know',
      (history) => history.effects.delete('b'),
      /^duplicate effect: b is order\.rejected in the log only/,
    ],
    [
      'an order that was refused and is there',
      (history) => {
        history.log(rawOrders, 'd', 'order.placed', 3);
        history.park('d', 2, 8);
      },
      /^duplicate effect: d was refused and is at raw-orders 0:2/,
    ],
  ])('%s', (_, spoil, expected) => {
    expect(found(spoil)).toContainEqual(expect.stringMatching(expected));
  });

  test('and two bumps of one round at different times are one event', () => {
    const bump = (at: string) => ({ value: `{"orderId":"a","occurredAt":"${at}","round":3}` });
    expect(
      found((history) => {
        history.log(validatedOrders, 'a', 'order.recalled/2', 90);
        history.log(validatedOrders, 'a', 'order.cooked/3', 91, bump('2026-01-01T00:00:00.000Z'));
        history.log(validatedOrders, 'a', 'order.cooked/3', 92, bump('2026-01-01T00:00:01.000Z'));
      }),
    ).toEqual([]);
  });
});

describe('a wrong order is found', () => {
  /** Exchanges the places of two events of `a`. */
  const swap = (history: HandMadeHistory, one: string, other: string) => {
    const records = history.records.get(validatedOrders) ?? [];
    const [a, b] = [one, other].map((type) => records.findIndex(({ headers }) => headers.ce_id === `a/${type}`)) as [
      number,
      number,
    ];
    const [first, second] = [records[a], records[b]];
    if (first === undefined || second === undefined) throw new Error(`no ${one} or ${other} to exchange`);
    records[a] = { ...second, offset: first.offset };
    records[b] = { ...first, offset: second.offset };
  };

  test.each<[string, (history: HandMadeHistory) => void, RegExp]>([
    [
      'paid before validated',
      (history) => swap(history, 'order.validated', 'order.paid'),
      /^out of order: a .* order\.paid and not after order\.validated/,
    ],
    [
      'cooked before paid',
      (history) => swap(history, 'order.paid', 'order.cooked/1'),
      /^out of order: a .* order\.cooked\/1 and not after order\.paid/,
    ],
    [
      'a log that contradicts the order of sending',
      (history) => swap(history, 'order.recalled/1', 'order.cooked/2'),
      /^out of order: a recall 1 was answered before bump 2 was sent, and stands behind it/,
    ],
    [
      'an order that is in two partitions',
      (history) => history.log(validatedOrders, 'a', 'order.paid', 90, { partition: 3, offset: 0 }),
      /^out of order: a validated-orders 3:0 is not in its partition 0/,
    ],
    [
      'dead letters that overtook each other',
      (history) => {
        history.log(rawOrders, 'p', 'order.placed', 5);
        history.log(rawOrders, 'p', 'order.placed', 6);
        history.park('p', 3, 9);
        history.park('p', 2, 10);
      },
      /^out of order: p .* parks offset 2 after offset 3/,
    ],
  ])('%s', (_, spoil, expected) => {
    expect(found(spoil)).toContainEqual(expect.stringMatching(expected));
  });
});

describe('a commit past an unfinished message is found', () => {
  test('although the message got its outcome later, when nothing shows it any more', () => {
    expect(found((history) => history.commit(groups.orderValidator, rawOrders, 1, 4))).toEqual([
      expect.stringMatching(/^commit past unfinished: a order-validator committed 1 .*: its outcome came 6 ms later/),
    ]);
  });

  test('between the records of other orders', () => {
    expect(found((history) => history.commit(groups.payment, validatedOrders, 1, 15))).toEqual([
      expect.stringMatching(/^commit past unfinished: a payment committed 1/),
    ]);
  });

  test('when there is no outcome at all', () => {
    expect(
      found((history) => {
        history.log(rawOrders, 'x', 'order.placed', 5);
        history.commit(groups.orderValidator, rawOrders, 3, 50);
      }),
    ).toContainEqual(expect.stringMatching(/^commit past unfinished: x .*: it has no outcome/));
  });

  test('and other groups do not count', () => {
    expect(found((history) => history.commit('another-group', rawOrders, 2, 0))).toEqual([]);
  });
});
