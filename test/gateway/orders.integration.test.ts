import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createTestDatabase } from '../support/servers.ts';
import { startToggledProxy } from '../support/toggled-proxy.ts';
import { sampleOrder, startTestGateway, storeId, type TestServer, watchRawOrders } from './support.ts';

let gateway: TestServer;
let raw: Awaited<ReturnType<typeof watchRawOrders>>;
beforeAll(async () => {
  raw = await watchRawOrders();
  gateway = await startTestGateway({ REGION: 'east' });
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await raw[Symbol.asyncDispose]();
});

const logged = (orderId: string) =>
  vi.waitFor(
    () => {
      const records = raw.records.get(orderId);
      if (records === undefined) throw new Error(`${orderId} is not in the log yet`);
      return records;
    },
    { timeout: 10_000 },
  );

test('202 means that the log has the client’s bytes, with the event’s headers', async () => {
  const order = sampleOrder();
  const text = ` ${JSON.stringify(order, null, 3)}\n`;
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
  const answer = await gateway.post(text, { traceparent, 'x-request-id': 'till-7/42' });
  expect(answer.status).toBe(202);
  expect(answer.body).toEqual({ orderId: order.orderId, status: 'accepted' });
  expect(Object.fromEntries(answer.headers)).toMatchObject({
    location: `/v1/orders/${order.orderId}`,
    'x-ordermesh-region': 'east',
    'x-request-id': 'till-7/42',
  });
  const [record] = await logged(order.orderId);
  expect(record?.value?.toString()).toBe(text);
  const headers = Object.fromEntries(
    Object.entries(record?.headers ?? {}).map(([name, bytes]) => [name, String(bytes)]),
  );
  expect(headers).toEqual({
    ce_specversion: '1.0',
    ce_id: `${order.orderId}/order.placed`,
    ce_source: '/ordermesh/gateway/east',
    ce_type: 'order.placed',
    ce_time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    ce_subject: order.orderId,
    'content-type': 'application/json',
    traceparent,
    'x-request-id': 'till-7/42',
  });
});

test('an order without an id gets one, in front of its unchanged bytes', async () => {
  const { orderId: _, ...order } = sampleOrder();
  const { status, body } = await gateway.post(order);
  expect(status).toBe(202);
  const [record] = await logged(body.orderId);
  expect(record?.value?.toString()).toBe(`{"orderId":"${body.orderId}",${JSON.stringify(order).slice(1)}`);
});

test('the same order again is the same 202 and is logged once; other content is a conflict', async () => {
  const order = sampleOrder();
  const reversed = Object.fromEntries(Object.entries(order).reverse());
  const answers = await Promise.all([gateway.post(order), gateway.post(order), gateway.post(reversed)]);
  expect(answers.map(({ status }) => status)).toEqual([202, 202, 202]);
  expect((await gateway.post(order)).status).toBe(202);
  const conflict = await gateway.post({ ...order, total: 1197 });
  expect(conflict).toMatchObject({ status: 409, body: { code: 'order-conflict', status: 409 } });
  // A later order of the same connection is in the log, so a repeat would be there too.
  const later = sampleOrder();
  await gateway.post(later);
  await logged(later.orderId);
  expect(await logged(order.orderId)).toHaveLength(1);
});

test('a batch answers for each of its lines', async () => {
  const [first, second, foreign] = [sampleOrder(), sampleOrder(), sampleOrder({ storeId: 'us-ny-0002' })];
  const lines = [
    JSON.stringify(first),
    '{"broken":',
    '',
    JSON.stringify({ ...second, total: 'a' }),
    JSON.stringify(foreign),
    JSON.stringify(second),
    JSON.stringify({ ...first, total: 1 }),
  ];
  const { status, body } = await gateway.call('/v1/orders/batch', {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body: `${lines.join('\r\n')}\n`,
  });
  expect(status).toBe(207);
  expect(body.results).toMatchObject([
    { index: 0, orderId: first.orderId, status: 202 },
    { index: 1, status: 400, problem: { code: 'malformed-body' } },
    { index: 2, orderId: second.orderId, status: 422, problem: { errors: [{ pointer: '/total' }] } },
    { index: 3, orderId: foreign.orderId, status: 403 },
    { index: 4, orderId: second.orderId, status: 202 },
    { index: 5, orderId: first.orderId, status: 409 },
  ]);
  await logged(second.orderId);
});

test('a batch of 1,000 is taken, of 1,001 refused, as is an empty one', async () => {
  const batch = (count: number) =>
    gateway.call('/v1/orders/batch', {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body: Array.from({ length: count }, () => JSON.stringify(sampleOrder())).join('\n'),
    });
  const full = await batch(1_000);
  expect(full.body.results.filter(({ status }: { status: number }) => status === 202)).toHaveLength(1_000);
  expect((await batch(1_001)).status).toBe(413);
  expect((await batch(0)).status).toBe(400);
});

test('a new order has the status accepted until the database has it, and only its store can read it', async () => {
  await using database = await createTestDatabase();
  await using server = await startTestGateway({ DATABASE_URL: database.urlAs('intake') });
  const order = sampleOrder();
  await server.post(order);
  const path = `/v1/orders/${order.orderId}`;
  expect(await server.call(path)).toMatchObject({
    status: 200,
    body: { orderId: order.orderId, storeId, status: 'accepted', history: [{ status: 'accepted' }] },
  });
  await database.sql`
    insert into orders (order_id, store_id, decision, reasons, total, currency, pieces, fingerprint, placed_at, accepted_at, decided_at)
    values (${order.orderId}, ${storeId}, 'validated', null, 1198, 'USD', 2, 'f', now(), now(), now())`;
  expect((await server.call(path)).body).toMatchObject({
    status: 'validated',
    history: [{ status: 'accepted' }, { status: 'validated' }],
  });
  expect(await server.call(path, { method: 'HEAD' })).toMatchObject({ status: 200, text: '' });
  const stranger = await server.bearer({ store: 'us-ny-0002' });
  expect(await server.call(path, { headers: { authorization: stranger } })).toMatchObject({ status: 404 });
  expect(await server.call(`/v1/orders/${crypto.randomUUID()}`)).toMatchObject({ status: 404 });
  expect(await server.call(path, { headers: { authorization: '' } })).toMatchObject({ status: 401 });
});

test('without a reachable database only status questions fail', async () => {
  await using server = await startTestGateway({ DATABASE_URL: 'postgres://absent@127.0.0.1:1/none' });
  const order = sampleOrder();
  expect((await server.post(order)).status).toBe(202);
  expect(await server.call(`/v1/orders/${order.orderId}`)).toMatchObject({
    status: 503,
    body: { code: 'status-unavailable' },
  });
  const ready = await (await fetch(`${server.admin}/readyz`)).text();
  expect(ready).toMatch(/^ready\n.*database: the last question for a status failed: .*ECONNREFUSED/s);
});

test('a database that is away at the start of the gateway answers questions for statuses once it is back', async () => {
  await using closing = new AsyncDisposableStack();
  const database = closing.use(await createTestDatabase());
  const address = new URL(database.urlAs('intake'));
  const proxy = await startToggledProxy(address.href);
  closing.defer(() => proxy.close());
  address.host = proxy.address;
  proxy.interrupt();
  await using server = await startTestGateway({ DATABASE_URL: address.href });
  const order = sampleOrder();
  expect((await server.post(order)).status).toBe(202);
  const status = async () => (await server.call(`/v1/orders/${order.orderId}`)).status;
  expect(await status()).toBe(503);
  proxy.resume();
  await vi.waitFor(async () => expect(await status()).toBe(200), { timeout: 30_000, interval: 100 });
  expect(await (await fetch(`${server.admin}/readyz`)).text()).not.toContain('database:');
});

test('metrics count by route and status, without order ids; health is ready', async () => {
  const order = sampleOrder();
  await gateway.post(order);
  const metrics = await (await fetch(`${gateway.admin}/metrics`)).text();
  expect(metrics).toMatch(/ordermesh_gateway_requests_total\{route="order",status="202",role="gateway"\} [1-9]/);
  expect(metrics).toMatch(/ordermesh_gateway_append_seconds_bucket\{le="\+Inf",role="gateway"\} [1-9]/);
  expect(metrics).not.toContain(order.orderId);
  await vi.waitFor(async () => expect((await fetch(`${gateway.admin}/readyz`)).status).toBe(200), { timeout: 10_000 });
});

test('without a database orders are accepted, and readiness tells it', async () => {
  const order = sampleOrder();
  expect(await (await fetch(`${gateway.admin}/readyz`)).text()).toContain('database: none');
  expect((await gateway.post(order)).status).toBe(202);
  expect(await gateway.call(`/v1/orders/${order.orderId}`)).toMatchObject({
    status: 503,
    body: { code: 'status-unavailable' },
  });
});

test('without Kafka it starts, is not ready, and answers 503 with Retry-After', async () => {
  await using down = await startTestGateway({ KAFKA_BROKERS: '127.0.0.1:1', ORDERMESH_PRODUCE_DEADLINE: '500ms' });
  const answer = await down.post(sampleOrder());
  expect(answer).toMatchObject({ status: 503, body: { code: 'log-unavailable' } });
  expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  expect((await fetch(`${down.admin}/readyz`)).status).toBe(503);
  expect((await fetch(`${down.admin}/healthz`)).status).toBe(200);
});

test('a port in use is reported with the variable that sets it', async () => {
  const port = new URL(gateway.url).port;
  await expect(startTestGateway({ ORDERMESH_GATEWAY_PORT: port })).rejects.toThrow(
    new RegExp(`port ${port}.*ORDERMESH_GATEWAY_PORT`),
  );
});
