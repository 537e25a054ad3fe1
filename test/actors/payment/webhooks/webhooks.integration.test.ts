import { randomUUID } from 'node:crypto';
import Stripe from 'stripe';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startWebhooks, type Webhooks } from '../../../../actors/payment/webhooks/webhooks.ts';
import { type Config, loadConfig } from '../../../../contracts/config/config.ts';
import { listDisputes } from '../../../../store/index.ts';
import { createLogger } from '../../../../telemetry/logger.ts';
import { createTestDatabase, type TestDatabase } from '../../../support/servers.ts';
import { startToggledProxy, type ToggledProxy } from '../../../support/toggled-proxy.ts';
import { stripeSubject } from '../subjects.ts';

const SECRET = 'whsec_test';
let database: TestDatabase;
let proxy: ToggledProxy;
let subject: Awaited<ReturnType<typeof stripeSubject>>;
let webhooks: Webhooks;
let config: Config;
let intent: { orderId: string; reference: string };
const logged: { fields: Record<string, unknown>; line: string }[] = [];
const logger = createLogger('payment', 'silent');
const note = (fields: Record<string, unknown>, line: string) => void logged.push({ fields, line });
Object.assign(logger, { error: note, warn: note, info: note });

beforeAll(async () => {
  database = await createTestDatabase();
  proxy = await startToggledProxy(database.url);
  subject = await stripeSubject();
  const url = new URL(database.url);
  url.host = proxy.address;
  config = loadConfig({
    DATABASE_URL: url.href,
    ORDERMESH_PAYMENT_PROVIDER: 'stripe',
    STRIPE_SECRET_KEY: 'sk_test_local',
    STRIPE_API_BASE: subject.rules.url,
    STRIPE_WEBHOOK_SECRET: SECRET,
    ORDERMESH_STRIPE_WEBHOOK_PORT: '0',
  });
  webhooks = await startWebhooks(config, { text: SECRET }, logger);
  const orderId = randomUUID();
  const order = { idempotencyKey: orderId, orderId, storeId: 's', amount: 1_198, currency: 'USD' };
  const result = await subject.provider.charge({ ...order, token: subject.tokens.good, since: new Date() });
  if (result.status !== 'approved') throw new Error('the charge was declined');
  intent = { orderId, reference: result.reference };
}, 120_000);

afterAll(async () => {
  await webhooks.close();
  await subject[Symbol.asyncDispose]();
  await proxy.close();
  await database[Symbol.asyncDispose]();
});

interface Told {
  id?: string;
  type: string;
  object: Record<string, unknown>;
  /** Seconds before now. */
  age?: number;
  secret?: string;
}

const payloadOf = ({ id = `evt_${randomUUID()}`, type, object, age = 0 }: Told) =>
  JSON.stringify({ id, object: 'event', type, created: Math.floor(Date.now() / 1_000) - age, data: { object } });

async function tell(told: Told, payload = payloadOf(told)): Promise<Response> {
  const timestamp = Math.floor(Date.now() / 1_000) - (told.age ?? 0);
  const header = Stripe.webhooks.generateTestHeaderString({ payload, secret: told.secret ?? SECRET, timestamp });
  return post(payload, { 'stripe-signature': header });
}

function post(body: string, headers: Record<string, string> = {}, path = '/webhooks/stripe'): Promise<Response> {
  return fetch(webhooks.url + path, { method: 'POST', headers, body });
}

function dispute(id: string, change: Record<string, unknown> = {}) {
  const evidence_details = { due_by: 1_800_000_000 };
  const base = {
    id,
    amount: 1_198,
    currency: 'usd',
    reason: 'fraudulent',
    status: 'needs_response',
    created: 1_790_000_000,
  };
  return { ...base, payment_intent: intent.reference, evidence_details, ...change };
}

const eventsOf = (reference: string) =>
  database.sql`select type, order_id, amount, currency from provider_events where reference = ${reference}`;

test('an event is stored once, however often it is told, and only then answered with 200', async () => {
  const id = `evt_${randomUUID()}`;
  const object = { id: 'ch_1', amount_refunded: 500, currency: 'jpy', metadata: { orderId: 'o-1' } };
  const told = { id, type: 'charge.refunded', object };
  const answers = await Promise.all([tell(told), tell(told), tell(told)]);
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
  expect(await eventsOf('ch_1')).toEqual([{ type: 'charge.refunded', order_id: 'o-1', amount: 500, currency: 'JPY' }]);
  expect(logged.filter(({ fields }) => fields.reference === 'ch_1')).toHaveLength(1);
});

test('a dispute is a row with its order, and stays closed whatever comes late', async () => {
  const { orderId } = intent;
  const opened = { type: 'charge.dispute.created', object: dispute('dp_1'), age: 100 };
  expect((await tell(opened)).status).toBe(200);
  const [open] = await listDisputes(database.sql, { open: true }, 10);
  expect(open).toMatchObject({ reference: 'dp_1', orderId, amount: 1_198, currency: 'USD', status: 'needs_response' });
  await tell({ type: 'charge.dispute.closed', object: dispute('dp_1', { status: 'lost' }), age: 50 });
  await tell({ type: 'charge.dispute.updated', object: dispute('dp_1', { status: 'under_review' }), age: 60 });
  expect(await listDisputes(database.sql, { open: true }, 10)).toEqual([]);
  const [closed] = await listDisputes(database.sql, { open: false }, 10);
  expect(closed).toMatchObject({ reference: 'dp_1', status: 'lost' });
  expect(closed?.closedAt).toBeInstanceOf(Date);
  expect(logged.some(({ line, fields }) => line === 'a payment is disputed' && fields.orderId === orderId)).toBe(true);
});

test('a refund of the dashboard names its order by its payment, and one that fails is an error', async () => {
  const object = { id: 're_1', amount: 200, currency: 'usd', metadata: null, payment_intent: intent.reference };
  expect((await tell({ type: 'refund.failed', object })).status).toBe(200);
  expect(await eventsOf('re_1')).toMatchObject([{ order_id: intent.orderId, amount: 200 }]);
  expect(logged.some(({ line }) => line === 'a refund has failed at the payment provider')).toBe(true);
});

test('what is not signed, is older than five minutes, was changed or is no webhook is refused, and nothing is stored', async () => {
  const told: Told = {
    type: 'charge.refunded',
    object: { id: 'ch_bad', amount_refunded: 1, currency: 'usd', metadata: {} },
  };
  const refused = [
    await tell({ ...told, secret: 'whsec_other' }),
    await tell({ ...told, age: 301 }),
    await tell(told, '{'),
    await tell(told, '{"a":1} '.repeat(40_000)),
    await post(payloadOf(told)),
    await post(payloadOf(told), {}, '/'),
    await fetch(`${webhooks.url}/webhooks/stripe`),
  ];
  expect(refused.map(({ status }) => status)).toEqual([400, 400, 400, 413, 400, 404, 405]);
  expect(await eventsOf('ch_bad')).toEqual([]);
  expect(webhooks.readiness()).toBeUndefined();
});

test('while the database is down, events are not answered with 200 and readiness says so; told again, they are stored', async () => {
  const id = `evt_${randomUUID()}`;
  const told = {
    id,
    type: 'charge.refunded',
    object: { id: 'ch_2', amount_refunded: 1, currency: 'usd', metadata: {} },
  };
  proxy.interrupt();
  expect((await tell(told)).status).toBe(503);
  expect(webhooks.readiness()).toContain('webhooks of the payment provider are not stored');
  proxy.resume();
  expect((await tell(told)).status).toBe(200);
  expect(webhooks.readiness()).toBeUndefined();
  expect(await eventsOf('ch_2')).toHaveLength(1);
  expect(await webhooks.registry.metrics()).toMatch(
    /webhooks_total\{type="charge.refunded",outcome="failed",role="payment"\} 1/,
  );
});

test('a taken port and the wrong provider are refused at the start, with the variable', async () => {
  const port = new URL(webhooks.url).port;
  const taken = loadConfig({ ...environment(), ORDERMESH_STRIPE_WEBHOOK_PORT: port });
  await expect(startWebhooks(taken, { text: SECRET }, logger)).rejects.toThrow('ORDERMESH_STRIPE_WEBHOOK_PORT');
  const simulated = loadConfig({ DATABASE_URL: database.url, STRIPE_WEBHOOK_SECRET: SECRET });
  await expect(startWebhooks(simulated, { text: SECRET }, logger)).rejects.toThrow('ORDERMESH_PAYMENT_PROVIDER=stripe');
});

function environment() {
  return { DATABASE_URL: database.url, ORDERMESH_PAYMENT_PROVIDER: 'stripe', STRIPE_SECRET_KEY: 'sk_test_local' };
}
