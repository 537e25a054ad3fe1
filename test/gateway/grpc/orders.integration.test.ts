import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createTestDatabase } from '../../support/servers.ts';
import { sampleOrder, startTestGateway, storeId, type TestServer, watchRawOrders } from '../support.ts';
import { GrpcClient, orderMessage, StreamClient, unpacked } from './client.ts';

let gateway: TestServer;
let raw: Awaited<ReturnType<typeof watchRawOrders>>;
let client: GrpcClient;
beforeAll(async () => {
  raw = await watchRawOrders();
  gateway = await startTestGateway({ REGION: 'east' });
  client = new GrpcClient(gateway.role.addresses.grpc ?? '', await gateway.bearer());
});
afterAll(async () => {
  client[Symbol.dispose]();
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

test('OK means that the log has the order as JSON, with the event’s headers', async () => {
  const order = sampleOrder();
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
  const { code, answer, head } = await client.submit(orderMessage(order), { traceparent, 'x-request-id': 'till-7/42' });
  expect(code).toBe(status.OK);
  expect(answer).toEqual({ orderId: order.orderId, status: 'ORDER_STATUS_ACCEPTED' });
  expect(head.get('x-request-id')).toEqual(['till-7/42']);
  expect(head.get('x-ordermesh-region')).toEqual(['east']);
  const [record] = await logged(order.orderId);
  const { modifiers: _, ...item } = order.items[0] ?? { modifiers: [] };
  expect(JSON.parse(String(record?.value))).toEqual({ ...order, items: [item] });
  expect(String(record?.headers.traceparent)).toBe(traceparent);
  expect(String(record?.headers['x-request-id'])).toBe('till-7/42');
});

test('an order of HTTP is the same order here; other content is a conflict; without an id it gets one', async () => {
  const order = sampleOrder();
  expect((await gateway.post(order)).status).toBe(202);
  expect(await client.submit(orderMessage(order))).toMatchObject({
    code: status.OK,
    answer: { orderId: order.orderId },
  });
  const conflict = await client.submit(orderMessage({ ...order, total: 1 }));
  expect(conflict.code).toBe(status.ALREADY_EXISTS);
  expect(conflict.details.ErrorInfo).toEqual({
    reason: 'ORDER_CONFLICT',
    domain: 'ordermesh',
    metadata: expect.objectContaining({ code: 'order-conflict', orderId: order.orderId }),
  });
  expect(await logged(order.orderId)).toHaveLength(1);
  const { orderId: _, ...anonymous } = sampleOrder();
  const { answer } = await client.submit(orderMessage(anonymous));
  await logged(answer.orderId);
});

test('invalid fields are named by their paths in the request', async () => {
  const [item] = sampleOrder().items;
  const wrong = sampleOrder({
    items: [{ ...(item as NonNullable<typeof item>), unitPrice: -1, modifiers: [{ sku: 'Cheese!', unitPrice: 0 }] }],
  });
  const { code, details } = await client.submit({ ...orderMessage(wrong), channel: 99, placedAt: '' });
  expect(code).toBe(status.INVALID_ARGUMENT);
  expect(details.ErrorInfo).toMatchObject({ reason: 'INVALID_ORDER' });
  const fields = details.BadRequest.fieldViolations.map(({ field }: { field: string }) => field);
  expect(fields.toSorted()).toEqual([
    'order.channel',
    'order.items[0].modifiers[0].sku',
    'order.items[0].unit_price',
    'order.placed_at',
  ]);
  expect((await client.call('Submit', {}).outcome).details.BadRequest.fieldViolations).toEqual([
    { field: 'order', description: 'must be object' },
  ]);
});

test('a call without, with a broken, an expired or a foreign token is refused with its reason', async () => {
  const order = orderMessage(sampleOrder());
  const address = gateway.role.addresses.grpc ?? '';
  const submitWith = async (authorization: string) => {
    using stranger = new GrpcClient(address, authorization);
    return await stranger.submit(order);
  };
  for (const authorization of ['', 'Bearer x', 'Bearer a.b.c', await gateway.bearer({ expiresIn: -10 })])
    expect(await submitWith(authorization)).toMatchObject({
      code: status.UNAUTHENTICATED,
      details: { ErrorInfo: { reason: 'UNAUTHENTICATED' } },
    });
  expect(await submitWith(await gateway.bearer({ store: 'us-ny-0002' }))).toMatchObject({
    code: status.PERMISSION_DENIED,
    details: { ErrorInfo: { reason: 'FORBIDDEN' } },
  });
  using tokenless = new GrpcClient(address, '');
  expect((await new StreamClient(tokenless.stream()).ended).code).toBe(status.UNAUTHENTICATED);
});

test('1,000 orders on one stream are answered by id and are in the log', async () => {
  const stream = new StreamClient(client.stream());
  const orders = Array.from({ length: 1_000 }, () => sampleOrder());
  for (const [id, order] of orders.entries()) stream.stream.write({ id, order: orderMessage(order) });
  stream.stream.end();
  expect(await stream.ended).toMatchObject({ code: status.OK });
  expect(stream.answers.size).toBe(orders.length);
  for (const [id, { orderId }] of orders.entries())
    expect(stream.answers.get(id)?.accepted).toEqual({ orderId, status: 'ORDER_STATUS_ACCEPTED' });
  for (const { orderId } of orders) await logged(orderId);
});

test('a bad order on a stream is answered and the stream stays', async () => {
  const stream = new StreamClient(client.stream());
  const order = sampleOrder();
  stream.stream.write({ id: 1, order: orderMessage({ ...order, total: -1 }) });
  stream.stream.write({ id: 2, order: orderMessage(sampleOrder({ storeId: 'us-ny-0002' })) });
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
  stream.stream.write({ id: 3, order: orderMessage(order), traceparent });
  stream.stream.end();
  expect((await stream.ended).code).toBe(status.OK);
  const invalid = stream.answers.get(1)?.error;
  expect(invalid).toMatchObject({ code: status.INVALID_ARGUMENT });
  expect(unpacked(invalid)).toMatchObject({
    ErrorInfo: { reason: 'INVALID_ORDER', metadata: { orderId: order.orderId } },
    BadRequest: { fieldViolations: [{ field: 'order.total' }] },
  });
  expect(stream.answers.get(2)?.error).toMatchObject({ code: status.PERMISSION_DENIED });
  expect(stream.answers.get(3)?.accepted?.orderId).toBe(order.orderId);
  const [record] = await logged(order.orderId);
  expect(String(record?.headers.traceparent)).toBe(traceparent);
});

test('only the store of an order can read its status', async () => {
  await using database = await createTestDatabase();
  await using server = await startTestGateway({ DATABASE_URL: database.urlAs('intake') });
  const address = server.role.addresses.grpc ?? '';
  using own = new GrpcClient(address, await server.bearer());
  const { orderId, ...rest } = sampleOrder();
  await own.submit(orderMessage({ orderId, ...rest }));
  const accepted = { status: 'ORDER_STATUS_ACCEPTED', at: { seconds: expect.any(Number) } };
  expect((await own.get(orderId)).answer).toMatchObject({
    orderId,
    storeId,
    status: 'ORDER_STATUS_ACCEPTED',
    history: [accepted],
  });
  await database.sql`
    insert into orders (order_id, store_id, decision, reasons, total, currency, pieces, fingerprint, placed_at, accepted_at, decided_at)
    values (${orderId}, ${storeId}, 'validated', null, 1198, 'USD', 2, 'f', now(), now(), now())`;
  expect((await own.get(orderId)).answer).toMatchObject({
    status: 'ORDER_STATUS_VALIDATED',
    history: [accepted, { status: 'ORDER_STATUS_VALIDATED' }],
  });
  using stranger = new GrpcClient(address, await server.bearer({ store: 'us-ny-0002' }));
  for (const outcome of [await stranger.get(orderId), await own.get(crypto.randomUUID()), await own.get('x')])
    expect(outcome).toMatchObject({ code: status.NOT_FOUND, details: { ErrorInfo: { reason: 'NOT_FOUND' } } });
  using tokenless = new GrpcClient(address, '');
  expect((await tokenless.get(orderId)).code).toBe(status.UNAUTHENTICATED);
});

test('without a database the status is unavailable, and says when to ask again', async () => {
  expect(await client.get(crypto.randomUUID())).toMatchObject({
    code: status.UNAVAILABLE,
    details: {
      ErrorInfo: { reason: 'STATUS_UNAVAILABLE' },
      RetryInfo: { retryDelay: { seconds: expect.any(Number) } },
    },
  });
});

test('without Kafka orders are unavailable with a delay, and the health service says so', async () => {
  await using down = await startTestGateway({ KAFKA_BROKERS: '127.0.0.1:1', ORDERMESH_PRODUCE_DEADLINE: '500ms' });
  using caller = new GrpcClient(down.role.addresses.grpc ?? '', await down.bearer());
  const { code, details, trailers } = await caller.submit(orderMessage(sampleOrder()));
  expect(code).toBe(status.UNAVAILABLE);
  expect(details.ErrorInfo.reason).toBe('LOG_UNAVAILABLE');
  expect(details.RetryInfo.retryDelay.seconds).toBeGreaterThan(0);
  expect(trailers.get('x-request-id')[0]).toMatch(/^[0-9a-f]{32}$/);
});

test('calls are counted by route with the status of HTTP that means the same', async () => {
  await client.submit(orderMessage(sampleOrder()));
  const metrics = await (await fetch(`${gateway.admin}/metrics`)).text();
  expect(metrics).toMatch(/ordermesh_gateway_requests_total\{route="grpc-submit",status="202",role="gateway"\} [1-9]/);
});
