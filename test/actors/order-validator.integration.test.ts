import { Registry } from 'prom-client';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createActor, decodeOrder } from '../../actors/order-validator/actor.ts';
import type { ValidatorSettings } from '../../actors/order-validator/settings.ts';
import { orderFingerprint } from '../../contracts/order/fingerprint.ts';
import type { Order } from '../../contracts/order/order.ts';
import { describeError, faultOf } from '../../runtime/outage.ts';
import { auditDatabase } from '../../store/orders/audit.ts';
import { loadMenu } from '../../store/orders/menu.ts';
import { orderStatus } from '../../store/orders/order-status.ts';
import { createTestDatabase, type TestDatabase } from '../support/servers.ts';
import { codesOf, event, orderMessage, testMenu, testMessage, testOrder, turn } from './support.ts';

const settings: ValidatorSettings = {
  windowSeconds: 600,
  customerOrdersMax: 3,
  cardOrdersMax: 5,
  amountMax: 50_000,
  menuWindowMs: 86_400_000,
};

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database[Symbol.asyncDispose]());
beforeEach(async () => {
  await database.sql`truncate orders, order_conflicts, velocity, store_stock, store_stock_loaded, menu_versions`;
  await loadMenu(database.sql, testMenu());
});

const validator = () => createActor({ settings, registry: new Registry() });

async function onHand(sku: string, storeId = 'us-il-0001'): Promise<number | undefined> {
  const [row] = await database.sql`select on_hand from inventory where store_id = ${storeId} and sku = ${sku}`;
  return row?.on_hand;
}

async function setOnHand(sku: string, amount: number): Promise<void> {
  await loadMenu(database.sql, testMenu({ stock: { default: 1_000, overrides: [{ sku, onHand: amount }] } }), {
    reset: true,
  });
}

async function expectBalancedBooks(): Promise<void> {
  expect((await auditDatabase(database.sql)).faults).toEqual([]);
}

describe('order-validator', () => {
  test('validates an order, takes its stock and carries on its trace', async () => {
    const order = testOrder({
      items: [
        { sku: 'burger', quantity: 2, unitPrice: 599, modifiers: [{ sku: 'cheese', unitPrice: 50, quantity: 2 }] },
      ],
    });
    const [outputs] = await turn(database.sql, validator(), [orderMessage(order)]);
    const { type, topic, value } = event(outputs);
    expect({ type, topic }).toEqual({ type: 'order.validated', topic: 'validated-orders' });
    expect(value).toMatchObject({
      orderId: order.orderId,
      storeId: order.storeId,
      total: 1_398,
      currency: 'USD',
      order,
    });
    expect(outputs?.[0]).toMatchObject({
      key: order.orderId,
      headers: {
        ce_id: `${order.orderId}/order.validated`,
        ce_source: '/ordermesh/order-validator',
        ce_time: value.occurredAt,
        traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      },
    });
    expect([await onHand('burger'), await onHand('cheese')]).toEqual([998, 996]);
    await expectBalancedBooks();
  });

  test('repeats the output of a redelivery to the byte, without a second effect', async () => {
    const good = testOrder({ customerId: 'c-1' });
    const bad = testOrder({ customerId: 'c-1', total: 1 });
    const messages = [good, bad].map(orderMessage);
    const first = await turn(database.sql, validator(), messages);
    const again = await turn(database.sql, validator(), messages);
    const mixed = await turn(database.sql, validator(), [orderMessage(testOrder()), ...messages]);
    for (const [index, type] of ['order.validated', 'order.rejected'].entries()) {
      expect(event(first[index]).type).toBe(type);
      expect(event(again[index]).wire).toBe(event(first[index]).wire);
      expect(event(mixed[index + 1]).wire).toBe(event(first[index]).wire);
    }
    expect(await onHand('burger')).toBe(998);
    const [velocity] = await database.sql`select sum(orders)::int as counted from velocity`;
    // Two orders of one customer on two cards, and the third order's card.
    expect(velocity?.counted).toBe(5);
    await expectBalancedBooks();
  });

  test('tells other content under a known orderId, once each, and does nothing else', async () => {
    const order = testOrder();
    await turn(database.sql, validator(), [orderMessage(order)]);
    const other = { ...order, items: [{ sku: 'fries', quantity: 1, unitPrice: 249 }], total: 249 };
    const message = orderMessage(other);
    const registry = new Registry();
    const actor = createActor({ settings, registry });
    const [first] = await turn(database.sql, actor, [message]);
    const { type, topic, value, wire } = event(first);
    expect({ type, topic }).toEqual({ type: 'order.conflicting', topic: 'rejected-orders' });
    expect(first?.[0]?.headers).toMatchObject({ ce_id: `${order.orderId}/order.conflicting/1` });
    expect(value).toMatchObject({
      orderId: order.orderId,
      storeId: order.storeId,
      total: 249,
      fingerprint: orderFingerprint(other),
      firstFingerprint: orderFingerprint(order),
      reasons: [
        { code: 'other-content', pointer: '/orderId' },
        { code: 'other-content', pointer: '/total', detail: 'total is 249, was 599' },
      ],
    });
    expect(wire).not.toContain(order.payment.token);
    // A redelivery, and the same content sent again, are the same event to the byte.
    const [again] = await turn(database.sql, actor, [message]);
    expect(event(again).wire).toBe(wire);
    const [third] = await turn(database.sql, actor, [orderMessage({ ...other, customerId: 'c-9' })]);
    expect(third?.[0]?.headers).toMatchObject({ ce_id: `${order.orderId}/order.conflicting/2` });
    const counted = (await registry.getSingleMetric('ordermesh_decisions_total')?.get())?.values;
    expect(counted).toMatchObject([{ value: 2, labels: { decision: 'conflicting', reason: 'other-content' } }]);
    expect(await onHand('fries')).toBe(1_000);
    const conflicts =
      await database.sql`select order_id, topic, partition, record_offset from order_conflicts where n = 1`;
    expect(conflicts).toEqual([
      { order_id: order.orderId, topic: 'raw-orders', partition: 0, record_offset: String(message.offset) },
    ]);
    await expectBalancedBooks();
  });

  test('tells the store of an orderId that is another store’s, and nothing of that order', async () => {
    const order = testOrder({ customerId: 'c-secret' });
    await turn(database.sql, validator(), [orderMessage(order)]);
    const other = testOrder({ orderId: order.orderId, storeId: 'us-il-0002', total: 1 });
    const [outputs] = await turn(database.sql, validator(), [orderMessage(other)]);
    const { type, value, wire } = event(outputs);
    expect({ type, value }).toMatchObject({
      type: 'order.conflicting',
      value: { storeId: 'us-il-0002', total: 1, reasons: [{ code: 'other-store', pointer: '/orderId' }] },
    });
    for (const secret of [order.storeId, order.payment.token, 'c-secret', orderFingerprint(order), '599'])
      expect(wire).not.toContain(secret);
    const status = (store?: string) => orderStatus(database.sql, order.orderId, store);
    expect(await status('us-il-0002')).toMatchObject({
      storeId: 'us-il-0002',
      status: 'conflicting',
      history: [{ status: 'accepted' }, { status: 'conflicting', detail: expect.stringContaining('another store') }],
    });
    expect(await status(order.storeId)).toMatchObject({
      storeId: order.storeId,
      status: 'validated',
      history: [{ status: 'accepted' }, { status: 'validated' }],
    });
    expect(await status()).toMatchObject({ storeId: order.storeId, status: 'validated' });
    expect(await status('us-il-0099')).toBeUndefined();
  });

  test('shows a conflict in the order’s history, which changes nothing of its status', async () => {
    const order = testOrder();
    await turn(database.sql, validator(), [orderMessage(order)]);
    await turn(database.sql, validator(), [orderMessage({ ...order, total: 1 })]);
    const known = await orderStatus(database.sql, order.orderId, order.storeId);
    expect(known?.status).toBe('validated');
    expect(known?.history.map(({ status }) => status)).toEqual(['accepted', 'validated', 'conflicting']);
    expect(known?.history[2]?.detail).toContain('total is 1, was 599');
  });

  test('repeats a rejection that was restored without its fingerprint, where what is known of it fits', async () => {
    const bad = testOrder({ total: 1 });
    const [first] = await turn(database.sql, validator(), [orderMessage(bad)]);
    await database.sql`update orders set fingerprint = '' where order_id = ${bad.orderId}`;
    const [again] = await turn(database.sql, validator(), [orderMessage(bad)]);
    expect(event(again).wire).toBe(event(first).wire);
    const [other] = await turn(database.sql, validator(), [orderMessage({ ...bad, total: 2 })]);
    expect(event(other).type).toBe('order.conflicting');
  });

  test('decides in the order of the log when stock runs out, whole orders or nothing', async () => {
    await setOnHand('burger', 3);
    const burgers = (quantity: number, more: Order['items'] = []) =>
      testOrder({ items: [{ sku: 'burger', quantity, unitPrice: 599 }, ...more] });
    const fries = { sku: 'fries', quantity: 1, unitPrice: 249 };
    const outputs = await turn(
      database.sql,
      validator(),
      [burgers(2), burgers(2, [fries]), burgers(1), burgers(1)].map(orderMessage),
    );
    expect(outputs.map((output) => event(output).type)).toEqual([
      'order.validated',
      'order.rejected',
      'order.validated',
      'order.rejected',
    ]);
    expect(event(outputs[1]).value.reasons).toEqual([{ code: 'out-of-stock', detail: '2 of burger wanted, 1 left' }]);
    expect(event(outputs[1]).topic).toBe('rejected-orders');
    expect([await onHand('burger'), await onHand('fries')]).toEqual([0, 1_000]);
    expect(await onHand('burger', 'us-il-0002')).toBe(3);
    await expectBalancedBooks();
  });

  test('never oversells when turns of several threads meet', async () => {
    await setOnHand('burger', 100);
    const outcomes = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const actor = validator();
        const types: string[] = [];
        for (let round = 0; round < 5; round++) {
          const orders = Array.from({ length: 12 }, (_, index) =>
            testOrder({ storeId: `us-il-000${1 + (index % 2)}` }),
          );
          const outputs = await turn(database.sql, actor, orders.map(orderMessage));
          types.push(...outputs.map((output) => event(output).type));
        }
        return types;
      }),
    );
    const validated = outcomes.flat().filter((type) => type === 'order.validated').length;
    const left = ((await onHand('burger')) ?? 0) + ((await onHand('burger', 'us-il-0002')) ?? 0);
    expect(left + validated).toBe(200);
    expect(left).toBe(0);
    await expectBalancedBooks();
  });

  test('counts the orders of a customer exactly, across turns and threads', async () => {
    const batches = await Promise.all(
      Array.from({ length: 4 }, () =>
        turn(
          database.sql,
          validator(),
          Array.from({ length: 5 }, () => orderMessage(testOrder({ customerId: 'c-busy' }))),
        ),
      ),
    );
    const codes = batches.flat().map((output) => codesOf(output).join());
    expect(codes.filter((code) => code === '')).toHaveLength(settings.customerOrdersMax);
    expect(codes.filter((code) => code === 'velocity-customer')).toHaveLength(20 - settings.customerOrdersMax);
    await expectBalancedBooks();
  });

  test('counts the orders on a card, whoever places them, in the window of the order time', async () => {
    const payment = { method: 'card' as const, token: 'tok_stolen' };
    const inWindow = Array.from({ length: 6 }, (_, index) => testOrder({ payment, customerId: `c-${index}` }));
    const later = testOrder({ payment, placedAt: '2026-11-22T18:10:00.000Z' });
    const outputs = await turn(database.sql, validator(), [...inWindow, later].map(orderMessage));
    expect(outputs.map(codesOf)).toEqual([[], [], [], [], [], ['velocity-card'], []]);
    const [row] = await database.sql`select count(*)::int as n from velocity where who::text like '%stolen%'`;
    expect(row?.n).toBe(0);
  });

  test('forgets counters that were not used for long', async () => {
    await database.sql`
      insert into velocity values (0, 1, 5, now() - interval '2 hours'), (0, 2, 5, now() - interval '1 hour')`;
    await turn(database.sql, validator(), [orderMessage(testOrder({ payment: { method: 'cash' } }))]);
    expect(await database.sql`select who::int from velocity`).toEqual([{ who: 2 }]);
  });

  test('leaves nothing half done when a turn fails', async () => {
    const failing = turn(database.sql, validator(), [orderMessage(testOrder({ customerId: 'c-1' }))], async () => {
      throw new Error('the turn fails here');
    });
    await expect(failing).rejects.toThrow('the turn fails here');
    const [row] =
      await database.sql`select (select count(*) from orders)::int as orders, (select count(*) from velocity)::int as velocity`;
    expect(row).toEqual({ orders: 0, velocity: 0 });
    expect(await onHand('burger')).toBe(1_000);
  });

  test('decides nothing without a menu: an outage that is over when one is loaded', async () => {
    await using fresh = await createTestDatabase();
    const actor = validator();
    const message = orderMessage(testOrder());
    const failure = await turn(fresh.sql, actor, [message]).catch((error: unknown) => error);
    expect([faultOf(failure), describeError(failure)]).toEqual([
      'outage',
      expect.stringMatching(/ordermesh menu load/),
    ]);
    await loadMenu(fresh.sql, testMenu());
    const [outputs] = await turn(fresh.sql, actor, [message]);
    expect(event(outputs).type).toBe('order.validated');
  });

  const ID = '0192f1c2-7c1a-7cc0-8000-000000000001';
  test.each<[string, string | null, string, RegExp]>([
    ['no JSON', '{"orderId":', 'a', /JSON/],
    ['another shape', '{"orderId":"a"}', 'a', /not an order: .*\/storeId is required/],
    ['an order of another key', JSON.stringify(testOrder()), 'a', /is not the key a/],
    ['no value', null, 'a', /no value/],
    [
      'a time that an older gateway took',
      JSON.stringify(testOrder({ orderId: ID, placedAt: '2026-11-22T10:00:00-06' })),
      ID,
      /\/placedAt must be a date and time/,
    ],
    [
      'a year that an older gateway took',
      JSON.stringify(testOrder({ orderId: ID, placedAt: '0001-01-01T00:00:00+05:30' })),
      ID,
      /\/placedAt must be from 2000/,
    ],
    [
      'text that an older gateway took',
      JSON.stringify(testOrder({ orderId: ID, customerId: 'c\0' })),
      ID,
      /\/customerId must not hold control/,
    ],
    [
      'half a character',
      JSON.stringify(testOrder({ orderId: ID, customerId: '\ud83d' })),
      ID,
      /\/customerId .*surrogate/,
    ],
  ])('refuses %s as poison', (_, value, key, message) => {
    const record = testMessage(key, value ?? '');
    expect(() => decodeOrder(value === null ? { ...record, value: null } : record)).toThrow(
      expect.objectContaining({ code: 'invalid-order', message: expect.stringMatching(message) }),
    );
  });

  test('refuses bytes that are not UTF-8 instead of reading other text in their place', () => {
    const order = testOrder({ customerId: 'c-x' });
    const value = Buffer.from(JSON.stringify(order).replace('c-x', 'c-\xff'), 'latin1');
    expect(() => decodeOrder({ ...orderMessage(order), value })).toThrow(/not valid UTF-8/);
  });
});
