import { Registry } from 'prom-client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createActor as createKitchen } from '../../actors/kitchen/actor.ts';
import { createActor as createValidator } from '../../actors/order-validator/actor.ts';
import { paymentActor } from '../../actors/payment/actor.ts';
import { simulatedProvider } from '../../actors/payment/simulated-provider.ts';
import type { EventType } from '../../contracts/events.ts';
import type { Order } from '../../contracts/order/order.ts';
import type { Database } from '../../store/database/database.ts';
import { auditDatabase, type OrderEffects } from '../../store/orders/audit.ts';
import { loadMenu } from '../../store/orders/menu.ts';
import { orderStatus } from '../../store/orders/order-status.ts';
import { event, orderMessage, testMenu, testMessage, testOrder, turn } from '../actors/support.ts';
import { createTestDatabase } from '../support/servers.ts';

/** The three actors by hand, on a database of their own. */
interface Mesh extends AsyncDisposable {
  sql: Database;
  /** Takes an order as far as it gets on its own. */
  process(order: Order): Promise<void>;
}

async function openMesh(ledgerUrl?: string): Promise<Mesh> {
  const database = await createTestDatabase();
  const { sql, url } = database;
  await loadMenu(sql, testMenu());
  const rates = { latencyMeanMs: 0, latencyMsMax: 1, declineRate: 0, timeoutRate: 0 };
  const payment = paymentActor(simulatedProvider({ database: ledgerUrl ?? url, ...rates }), new Registry());
  return {
    sql,
    async process(order) {
      const [decided] = await turn(sql, validator, [orderMessage(order)]);
      const decision = event(decided);
      if (decision.type !== 'order.validated') return;
      const [charged] = await turn(sql, payment, [testMessage(order.orderId, decision.value, { type: decision.type })]);
      const { type, value } = event(charged);
      await turn(sql, createKitchen({ registry: new Registry() }), [testMessage(order.orderId, value, { type })]);
    },
    async [Symbol.asyncDispose]() {
      await payment.close?.();
      await database[Symbol.asyncDispose]();
    },
  };
}

const validator = createValidator({
  registry: new Registry(),
  settings: {
    windowSeconds: 600,
    customerOrdersMax: 99,
    cardOrdersMax: 99,
    amountMax: 50_000,
    menuWindowMs: 86_400_000,
  },
});

let mesh: Mesh;
beforeAll(async () => {
  mesh = await openMesh();
});
afterAll(() => mesh[Symbol.asyncDispose]());

async function kitchen(order: Order, type: EventType, round: number): Promise<void> {
  const { orderId, storeId, total, currency } = order;
  const value = { orderId, storeId, occurredAt: '2026-11-22T18:05:00.000Z', total, currency, round };
  await turn(mesh.sql, createKitchen({ registry: new Registry() }), [testMessage(orderId, value, { type })]);
}

async function journey({ orderId }: Order) {
  const known = await orderStatus(mesh.sql, orderId);
  return {
    status: known?.status,
    steps: known?.history.map((step) => step.status).join(' '),
    last: known?.history.at(-1),
  };
}

describe('orderStatus', () => {
  test('does not know an order before its decision', async () => {
    expect(await orderStatus(mesh.sql, testOrder().orderId)).toBeUndefined();
  });

  test('tells the whole journey, and a recalled order waits again', async () => {
    const order = testOrder();
    await mesh.process(order);
    expect(await journey(order)).toMatchObject({ status: 'paid', steps: 'accepted validated paid' });
    await kitchen(order, 'order.cooking', 1);
    expect(await journey(order)).toMatchObject({ status: 'cooking' });
    await kitchen(order, 'order.cooked', 1);
    expect(await journey(order)).toMatchObject({ status: 'cooked', steps: 'accepted validated paid cooking cooked' });
    await kitchen(order, 'order.recalled', 1);
    expect(await journey(order)).toMatchObject({ status: 'paid', last: { detail: 'recalled by the kitchen' } });
    const known = await orderStatus(mesh.sql, order.orderId);
    expect(known).toMatchObject({ orderId: order.orderId, storeId: order.storeId });
    expect(known?.history[0]).toEqual({ status: 'accepted', at: '2026-11-22T18:00:01.000Z' });
  });

  test('says why an order was rejected or not paid', async () => {
    const rejected = testOrder({ total: 1 });
    await mesh.process(rejected);
    expect((await journey(rejected)).last).toMatchObject({
      status: 'rejected',
      detail: 'the items add up to 599, not 1',
    });
    const declined = testOrder({ payment: { method: 'card', token: 'tok_decline_expired-card' } });
    await mesh.process(declined);
    expect((await journey(declined)).last).toMatchObject({
      status: 'payment-failed',
      detail: 'expired-card: the card has expired',
    });
  });

  test.each([
    ['order-validator', 'parked', ''],
    ['bridge', undefined, undefined],
  ])('shows what %s parked: %s', async (group, status, storeId) => {
    const { orderId } = testOrder();
    await mesh.sql`
      insert into parked_keys (consumer_group, topic, partition, key, first_offset, reason, error, attempts, first_failed_at)
      values (${group}, 'raw-orders', 0, ${orderId}, 1, 'poison', 'not an order', 4, now())`;
    const known = await orderStatus(mesh.sql, orderId);
    expect(known?.status).toBe(status);
    expect(known?.storeId).toBe(storeId);
    if (status !== undefined) expect(known?.history[0]?.detail).toBe('by order-validator: not an order');
  });
});

describe('auditDatabase', () => {
  test('finds no fault in what the actors did, and hands over every order', async () => {
    const orders = [
      testOrder(),
      testOrder({ total: 1 }),
      testOrder({ payment: { method: 'cash' } }),
      testOrder({ payment: { method: 'card', token: 'tok_decline_x' } }),
    ];
    for (const order of orders) await mesh.process(order);
    const effects = new Map<string, OrderEffects>();
    const audit = await auditDatabase(mesh.sql, {
      onEffects: (rows) => {
        for (const row of rows) effects.set(row.orderId, row);
      },
    });
    expect(audit.faults).toEqual([]);
    expect(effects.size).toBe(audit.validated + audit.rejected);
    const found = orders.map(({ orderId }) => effects.get(orderId));
    expect(found.map((row) => [row?.decision, row?.payment, row?.charges, row?.ticket])).toEqual([
      ['validated', 'paid', 1, true],
      ['rejected', null, 0, false],
      ['validated', 'paid', 0, true],
      ['validated', 'failed', 0, false],
    ]);
    const none: OrderEffects[] = [];
    await auditDatabase(mesh.sql, { sinceMs: Date.now() + 60_000, onEffects: (rows) => none.push(...rows) });
    expect(none).toEqual([]);
  });

  test("reads the provider's own ledger where it is in another database", async () => {
    await using provider = await createTestDatabase();
    await using mesh = await openMesh(provider.url);
    const [paid, declined] = [testOrder(), testOrder({ payment: { method: 'card', token: 'tok_decline_x' } })];
    for (const order of [paid, declined]) await mesh.process(order);
    const charges = new Map<string, number>();
    const audit = () =>
      auditDatabase(mesh.sql, {
        ledger: provider.sql,
        onEffects: (rows) => {
          for (const row of rows) charges.set(row.orderId, row.charges);
        },
      });
    expect((await audit()).faults).toEqual([]);
    expect(charges).toEqual(
      new Map([
        [paid.orderId, 1],
        [declined.orderId, 0],
      ]),
    );
    await provider.sql`insert into simulated_provider.charges values ('x', 1, 'USD', 'approved', 'ch', null)`;
    await provider.sql`update simulated_provider.charges set amount = 1 where idempotency_key = ${paid.orderId}`;
    const faults = (await audit()).faults.toSorted((a, b) => a.detail.localeCompare(b.detail));
    expect(faults).toMatchObject([
      { subject: paid.orderId, detail: expect.stringContaining('was charged 0.01 USD') },
      { subject: 'x', detail: 'was charged and is not a validated order' },
    ]);
  });

  test.each<[string, string, RegExp]>([
    [
      'stock taken twice',
      `update store_stock set on_hand[1] = on_hand[1] - 1 where store_id = 'us-il-0002'`,
      /us-il-0002 1 pieces left the shelves, its orders reserved 0/,
    ],
    [
      'a charge without an order',
      `insert into simulated_provider.charges values ('x', 1, 'USD', 'approved', 'ch', null)`,
      /x was charged and is not a validated order/,
    ],
    ['a payment without its charge', `delete from simulated_provider.charges`, /is paid without a charge/],
    [
      'another amount',
      `update simulated_provider.charges set amount = 1 where status = 'approved'`,
      /was charged 0.01 USD, its total is 5.99 USD/,
    ],
    ['a payment before the decision', `delete from orders`, /has a payment and is not a validated order/],
    ['a ticket before the payment', `delete from payments`, /has a ticket and is not paid/],
  ])('finds %s', async (_, sabotage, message) => {
    await using mesh = await openMesh();
    await mesh.process(testOrder());
    await mesh.sql.unsafe(sabotage);
    const { faults } = await auditDatabase(mesh.sql);
    expect(faults.map(({ subject, detail }) => `${subject} ${detail}`).join('\n')).toMatch(message);
  });
});
