import { Registry } from 'prom-client';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createActor } from '../../actors/kitchen/actor.ts';
import { systemClock } from '../../contracts/clock.ts';
import type { EventType } from '../../contracts/events.ts';
import type { Order } from '../../contracts/order/order.ts';
import { skip } from '../../runtime/actor.ts';
import { openTicketCounts, openTickets, recentlyCooked, ticketsById } from '../../store/tickets/ticket-board.ts';
import { TicketListener } from '../../store/tickets/ticket-listener.ts';
import { createTestDatabase, type TestDatabase } from '../support/servers.ts';
import { testMessage, testOrder, turn } from './support.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database[Symbol.asyncDispose]());

const kitchen = createActor({ registry: new Registry() });

function message(order: Order, type: EventType, change: Record<string, unknown>) {
  const { orderId, storeId, total, currency } = order;
  const value = { orderId, storeId, occurredAt: '2026-11-22T18:00:03.000Z', total, currency, ...change };
  return testMessage(orderId, value, { topic: 'validated-orders', type });
}

const paid = (order: Order, occurredAt = '2026-11-22T18:00:03.000Z') =>
  message(order, 'order.paid', {
    occurredAt,
    order: { ...order, payment: { method: order.payment.method } },
    payment: { method: 'card', reference: 'ch_1' },
  });

const move = (order: Order, type: EventType, round: number) =>
  message(order, type, { round, occurredAt: `2026-11-22T18:0${round}:00.000Z` });

async function position({ orderId }: Order): Promise<string> {
  const [ticket] = await ticketsById(database.sql, [orderId]);
  return ticket === undefined ? 'none' : `${ticket.state}/${ticket.round}`;
}

describe('kitchen', () => {
  test('opens one ticket for a paid order, however often it is delivered', async () => {
    const order = testOrder({
      storeId: 'one-ticket',
      items: [{ sku: 'fries', quantity: 2, unitPrice: 249, note: 'hot', allergies: ['peanut'] }],
      number: 'A27',
      guest: { name: 'Zoë' },
      fulfilment: { type: 'eat-in', table: '12' },
    });
    await turn(database.sql, kitchen, [paid(order)]);
    await turn(database.sql, kitchen, [move(order, 'order.cooking', 1)]);
    await turn(database.sql, kitchen, [paid(order)]);
    expect(await openTickets(database.sql, { storeId: 'one-ticket', limit: 10 })).toEqual([
      {
        orderId: order.orderId,
        storeId: 'one-ticket',
        state: 'cooking',
        round: 1,
        channel: 'pos',
        number: 'A27',
        guest: 'Zoë',
        fulfilment: order.fulfilment,
        items: order.items,
        total: 498,
        currency: 'USD',
        placedAt: new Date(order.placedAt),
        paidAt: new Date('2026-11-22T18:00:03.000Z'),
        cookingAt: new Date('2026-11-22T18:01:00.000Z'),
        cookedAt: null,
        recalledAt: null,
      },
    ]);
  });

  test('follows bump, recall and bump, and repeated events change nothing', async () => {
    const order = testOrder();
    await turn(database.sql, kitchen, [paid(order)]);
    for (const [type, round, expected] of [
      ['order.cooked', 1, 'cooked/1'],
      ['order.cooked', 1, 'cooked/1'],
      ['order.recalled', 1, 'open/2'],
      ['order.recalled', 1, 'open/2'],
      ['order.cooked', 1, 'open/2'],
      ['order.cooked', 2, 'cooked/2'],
    ] as const) {
      await turn(database.sql, kitchen, [move(order, type, round)]);
      expect(await position(order)).toBe(expected);
    }
    const rows = await database.sql`select 1 from ignored_kitchen_events where order_id = ${order.orderId}`;
    expect(rows).toHaveLength(0);
  });

  test('ignores what makes no sense, and notes it once', async () => {
    const [order, unpaid] = [testOrder(), testOrder()];
    await turn(database.sql, kitchen, [paid(order)]);
    for (let delivery = 0; delivery < 2; delivery++) {
      await turn(database.sql, kitchen, [move(order, 'order.recalled', 1), move(unpaid, 'order.cooked', 1)]);
    }
    expect([await position(order), await position(unpaid)]).toEqual(['open/1', 'none']);
    const noted = await database.sql`
      select event_id, ticket_state, ticket_round from ignored_kitchen_events
      where order_id = any(${[order.orderId, unpaid.orderId]}::uuid[]) order by type desc`;
    expect(noted).toEqual([
      { event_id: `${order.orderId}/order.recalled/1`, ticket_state: 'open', ticket_round: 1 },
      { event_id: `${unpaid.orderId}/order.cooked/1`, ticket_state: null, ticket_round: null },
    ]);
  });

  test('announces every changed ticket after the commit, and none of a turn that failed', async () => {
    const heard: string[] = [];
    const listener = new TicketListener({
      server: { server: database.url, application: 'test' },
      clock: systemClock,
      onOrderIds: (orderIds) => heard.push(...orderIds),
      onProven: () => {},
      onDeaf: (reason) => expect.unreachable(reason.message),
    });
    await listener.start();
    const failed = testOrder();
    await expect(
      turn(database.sql, kitchen, [paid(failed)], async () => {
        throw new Error('the turn fails here');
      }),
    ).rejects.toThrow('the turn fails here');
    // More than fit into one notification.
    const orders = Array.from({ length: 450 }, () => testOrder({ storeId: 'busy' }));
    await turn(
      database.sql,
      kitchen,
      orders.map((order) => paid(order)),
    );
    await vi.waitFor(() => expect(new Set(heard)).toEqual(new Set(orders.map((order) => order.orderId))));
    expect(heard).toHaveLength(orders.length);
    listener.close();
    expect(await position(failed)).toBe('none');
    expect(await openTicketCounts(database.sql)).toContainEqual({
      storeId: 'busy',
      open: 450,
      oldestPaidAt: new Date('2026-11-22T18:00:03.000Z'),
    });
  });

  test('lists the oldest open tickets first, and the last cooked ones for a recall', async () => {
    const orders = [3, 1, 2].map((minute) => ({ order: testOrder({ storeId: 'lists' }), minute }));
    for (const { order, minute } of orders) {
      await turn(database.sql, kitchen, [paid(order, `2026-11-22T18:0${minute}:00.000Z`)]);
    }
    const minutes = (await openTickets(database.sql, { storeId: 'lists', limit: 2 })).map((t) =>
      t.paidAt.getUTCMinutes(),
    );
    expect(minutes).toEqual([1, 2]);
    const cooked = orders[0]?.order ?? testOrder();
    await turn(database.sql, kitchen, [move(cooked, 'order.cooked', 1)]);
    const recallable = await recentlyCooked(database.sql, { storeId: 'lists', limit: 5 });
    expect(recallable.map((ticket) => ticket.orderId)).toEqual([cooked.orderId]);
  });

  test('skips events that concern no ticket, and refuses a round that is no count', () => {
    const order = testOrder();
    expect(kitchen.decode(message(order, 'order.validated', {}))).toBe(skip);
    expect(kitchen.decode(message(order, 'order.payment-failed', {}))).toBe(skip);
    expect(() => kitchen.decode(message(order, 'order.cooked', {}))).toThrow('round undefined is not a count from 1');
  });
});
