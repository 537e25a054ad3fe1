import { Registry } from 'prom-client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createActor as createKitchen } from '../../actors/kitchen/actor.ts';
import { createActor as createValidator } from '../../actors/order-validator/actor.ts';
import { paymentActor } from '../../actors/payment/actor.ts';
import { simulatedProvider } from '../../actors/payment/simulated-provider.ts';
import type { Order } from '../../contracts/order/order.ts';
import { type Actor, type Item, type Message, type Outputs, skip } from '../../runtime/actor.ts';
import type { TurnSql } from '../../store/database/database.ts';
import { loadMenu } from '../../store/orders/menu.ts';
import { createTestDatabase, type TestDatabase } from '../support/servers.ts';
import { testMenu, testMessage, testOrder } from './support.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
  await loadMenu(database.sql, testMenu());
});
afterAll(() => database[Symbol.asyncDispose]());

/** One message as the runtime does it, to the end. */
async function through<In, Prepared>(actor: Actor<In, Prepared>, message: Message): Promise<Outputs> {
  const input = actor.decode(message);
  if (input === skip) return [];
  const prepared = (await actor.prepare?.(input, message)) as Prepared;
  const items: Item<In, Prepared>[] = [{ message, input, prepared }];
  const [outputs = []] = (await database.sql.begin(
    async (sql) => (await actor.apply?.(items, sql as unknown as TurnSql)) ?? [],
  )) as Outputs[];
  actor.completed?.(input, message);
  return outputs;
}

/** The message that a role's first output is for the next. */
function next([record]: Outputs): Message {
  if (record?.value == null) throw new Error('the message has no output');
  const message = testMessage(String(record.key), record.value.toString());
  return {
    ...message,
    topic: record.topic,
    headers: Object.fromEntries(Object.entries(record.headers ?? {}).map(([name, text]) => [name, Buffer.from(text)])),
  };
}

function mesh() {
  const registries = { validated: new Registry(), paid: new Registry(), ticket: new Registry() };
  const settings = {
    windowSeconds: 600,
    customerOrdersMax: 99,
    cardOrdersMax: 99,
    amountMax: 50_000,
    menuWindowMs: 86_400_000,
  };
  const rates = { latencyMeanMs: 0, latencyMsMax: 1, declineRate: 0, timeoutRate: 0 };
  const provider = simulatedProvider({ database: database.url, ...rates });
  const validator = createValidator({ settings, registry: registries.validated });
  const payment = paymentActor(provider, registries.paid);
  const kitchen = createKitchen({ registry: registries.ticket });
  return {
    async serve(message: Message) {
      const validated = next(await through(validator, message));
      const paid = next(await through(payment, validated));
      await through(kitchen, paid);
      return { validated, paid };
    },
    validate: (message: Message) => through(validator, message),
    pay: (message: Message) => through(payment, message),
    async ages(step: keyof typeof registries): Promise<{ count: number; sum: number }> {
      const text = await registries[step].metrics();
      const value = (part: string) =>
        Number(new RegExp(`^ordermesh_order_age_seconds_${part}\\{step="${step}"\\} (.*)$`, 'm').exec(text)?.[1] ?? 0);
      return { count: value('count'), sum: value('sum') };
    },
    [Symbol.asyncDispose]: () => provider.close(),
  };
}

const placed = (order: Order, acceptedAt: Date) => {
  const message = testMessage(order.orderId, order);
  return { ...message, headers: { ...message.headers, ce_time: Buffer.from(acceptedAt.toISOString()) } };
};

test('the time of acceptance travels with the order, and each step observes its age once', async () => {
  await using one = mesh();
  const acceptedAt = new Date(Date.now() - 90_000);
  const message = placed(testOrder(), acceptedAt);
  const { validated, paid } = await one.serve(message);
  expect([validated, paid].map(({ headers }) => headers.ce_acceptedtime?.toString())).toEqual([
    acceptedAt.toISOString(),
    acceptedAt.toISOString(),
  ]);
  for (const step of ['validated', 'paid', 'ticket'] as const) {
    const { count, sum } = await one.ages(step);
    expect({ step, count }).toEqual({ step, count: 1 });
    expect(sum).toBeGreaterThanOrEqual(90);
  }
  // A repeat through another gateway, and every redelivery, keep the first time and are not observed.
  const repeat = await one.serve({
    ...message,
    headers: { ...message.headers, ce_time: Buffer.from(new Date().toISOString()) },
  });
  expect(repeat.paid.headers.ce_acceptedtime?.toString()).toBe(acceptedAt.toISOString());
  for (const step of ['validated', 'paid', 'ticket'] as const) expect((await one.ages(step)).count).toBe(1);
});

test('an order from the future is 0 old, a rejected or declined one is at no step, a record without a time has that of its record', async () => {
  await using one = mesh();
  await one.serve(placed(testOrder(), new Date(Date.now() + 3_600_000)));
  expect(await one.ages('ticket')).toEqual({ count: 1, sum: 0 });
  await one.validate(placed(testOrder({ total: 1 }), new Date()));
  expect((await one.ages('validated')).count).toBe(1);
  const declined = testOrder({ payment: { method: 'card', token: 'tok_decline_x' } });
  await one.pay(next(await one.validate(placed(declined, new Date()))));
  expect((await one.ages('paid')).count).toBe(1);
  const order = testOrder();
  const { validated } = await one.serve(testMessage(order.orderId, order));
  expect(validated.headers.ce_acceptedtime?.toString()).toBe('2026-11-22T18:00:01.000Z');
});
