import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { limits } from '../../contracts/limits.ts';
import type { Order } from '../../contracts/order/order.ts';
import { type Answer, HeldIntake, sampleOrder, startServerOn, type TestServer } from './support.ts';

let intake: HeldIntake;
let gateway: TestServer;
beforeAll(async () => {
  intake = new HeldIntake();
  gateway = await startServerOn(intake, {
    ORDERMESH_UNANSWERED_ORDERS_MAX: '3',
    ORDERMESH_UNANSWERED_BYTES_MAX: '1MiB',
  });
});
afterAll(() => gateway[Symbol.asyncDispose]());

/** Sends the order and resolves once the intake holds it; the answer comes when the test settles the intake. */
async function hold(order: Order): Promise<{ answer: Promise<Answer> }> {
  const answer = gateway.post(order);
  await vi.waitFor(() => expect(intake.taken.at(-1)?.orderId).toBe(order.orderId));
  return { answer };
}

test('repeats of an order in flight share its answer; other content conflicts at once', async () => {
  const order = sampleOrder();
  const first = await hold(order);
  const repeat = gateway.post(order);
  await vi.waitFor(async () => expect(await gauge('unanswered_orders')).toBe(2));
  expect((await gateway.post({ ...order, total: 1 })).status).toBe(409);
  const before = intake.taken.length;
  intake.settle();
  expect((await first.answer).status).toBe(202);
  expect((await repeat).status).toBe(202);
  expect((await gateway.post(order)).status).toBe(202);
  expect((await gateway.post({ ...order, total: 1 })).status).toBe(409);
  expect(intake.taken).toHaveLength(before);
});

test('an order that was not acknowledged gets 503, never 202, and its repeat is appended again', async () => {
  const order = sampleOrder();
  const first = await hold(order);
  const repeat = gateway.post(order);
  await vi.waitFor(async () => expect(await gauge('unanswered_orders')).toBe(2));
  intake.settle(new Error('no acknowledgement'));
  for (const refused of [await first.answer, await repeat]) {
    expect(refused).toMatchObject({ status: 503, body: { code: 'log-unavailable' } });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  }
  const before = intake.taken.length;
  const second = gateway.post(order);
  await vi.waitFor(() => expect(intake.taken).toHaveLength(before + 1));
  intake.settle();
  expect((await second).status).toBe(202);
});

test('at the bound of orders the next order gets 503 with Retry-After, and orders in flight are answered', async () => {
  const held = [await hold(sampleOrder()), await hold(sampleOrder()), await hold(sampleOrder())];
  const surplus = await gateway.post(sampleOrder());
  expect(surplus).toMatchObject({ status: 503, body: { code: 'overloaded' } });
  expect(Number(surplus.headers.get('retry-after'))).toBeGreaterThan(0);
  intake.settle();
  for (const { answer } of held) expect((await answer).status).toBe(202);
  const next = await hold(sampleOrder());
  intake.settle();
  expect((await next.answer).status).toBe(202);
});

test.each([
  ['no JSON', '{', 400],
  ['an empty body', '', 400],
  ['invalid UTF-8', Buffer.from('{"orderId":"\xff\xfe"}', 'latin1'), 400],
  ['a list', '[]', 422],
  ['a text', '"order"', 422],
  ['null', 'null', 422],
  ['a number', '1', 422],
  ['an order without fields', '{}', 422],
])('%s is refused with problem details', async (_name, body, status) => {
  const answer = await gateway.post(body);
  expect(answer.status).toBe(status);
  expect(answer.headers.get('content-type')).toBe('application/problem+json');
  expect(answer.body).toMatchObject({ status, code: expect.any(String), type: expect.stringMatching(/^urn:/) });
});

test.each([
  ['/items/0/quantity', { items: [{ sku: 'a', quantity: 0, unitPrice: 1 }] }],
  ['/items/0/unitPrice', { items: [{ sku: 'a', quantity: 1, unitPrice: -1 }] }],
  ['/items', { items: [] }],
  ['/total', { total: 1.5 }],
  ['/currency', { currency: 'dollars' }],
  ['/orderId', { orderId: '1' }],
  ['/orderId', { orderId: sampleOrder().orderId.toUpperCase().replace(/^./, 'A') }],
  ['/orderId', { orderId: null }],
  ['/placedAt', { placedAt: 'yesterday' }],
  ['/payment/token', { payment: { method: 'card' } }],
  ['/surprise', { surprise: 1 }],
])('422 points at %s', async (pointer, change) => {
  const answer = await gateway.post({ ...sampleOrder(), ...change });
  expect(answer).toMatchObject({ status: 422, body: { code: 'invalid-order' } });
  expect(answer.body.errors.map((error: { pointer: string }) => error.pointer)).toContain(pointer);
});

test('401, 403, 404, 405 and 415', async () => {
  const body = JSON.stringify(sampleOrder());
  for (const authorization of [
    '',
    'Bearer abc',
    `${await gateway.bearer()}x`,
    await gateway.bearer({ expiresIn: -1 }),
  ]) {
    const answer = await gateway.call('/v1/orders', { method: 'POST', body, headers: { authorization } });
    expect(answer).toMatchObject({ status: 401, body: { code: 'unauthenticated' } });
    expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
  }
  const authorization = await gateway.bearer({ store: 'us-ny-0002' });
  expect(await gateway.post(sampleOrder(), { authorization })).toMatchObject({
    status: 403,
    body: { code: 'forbidden' },
  });
  expect(await gateway.call('/nope')).toMatchObject({ status: 404, body: { code: 'not-found' } });
  expect(await gateway.call('/v1/orders/1')).toMatchObject({ status: 404 });
  for (const [method, path] of [
    ['DELETE', '/v1/orders'],
    ['GET', '/v1/orders'],
    ['GET', '/v1/orders/batch'],
    ['PUT', '/v1/orders/batch'],
    ['POST', `/v1/orders/${crypto.randomUUID()}`],
    ['POST', '/openapi.json'],
    ['POST', '/v1/stream'],
  ] as const) {
    const answer = await gateway.call(path, { method });
    expect(answer, `${method} ${path}`).toMatchObject({ status: 405, body: { code: 'method-not-allowed' } });
    expect(answer.headers.get('allow')).not.toContain(method);
  }
  expect(await gateway.post(body, { 'content-type': 'text/plain' })).toMatchObject({ status: 415 });
  expect(await gateway.call('/v1/stream')).toMatchObject({ status: 400, body: { code: 'malformed-request' } });
});

test('HEAD has headers alone, OPTIONS names the methods', async () => {
  const head = await gateway.call('/openapi.json', { method: 'HEAD' });
  expect(head).toMatchObject({ status: 200, text: '' });
  expect(Number(head.headers.get('content-length'))).toBeGreaterThan(1_000);
  const options = await gateway.call('/v1/orders', { method: 'OPTIONS' });
  expect(options).toMatchObject({ status: 200, text: '' });
  expect(options.headers.get('allow')).toBe('POST, OPTIONS');
});

test('a body above the limit is 413, announced or not', async () => {
  const large = { ...sampleOrder(), customerId: 'x'.repeat(limits.orderBytesMax) };
  expect(await gateway.post(large)).toMatchObject({ status: 413, body: { code: 'body-too-large' } });
  const text = JSON.stringify(large);
  const chunked = await raw(
    `POST /v1/orders HTTP/1.1\r\nHost: x\r\nAuthorization: ${await gateway.bearer()}\r\nContent-Type: application/json\r\n` +
      `Transfer-Encoding: chunked\r\n\r\n${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n`,
  );
  expect(chunked).toMatch(/^HTTP\/1\.1 413 /);
});

test('clients that disconnect at any moment leave nothing behind', async () => {
  const head = `POST /v1/orders HTTP/1.1\r\nHost: x\r\nAuthorization: ${await gateway.bearer()}\r\nContent-Type: application/json\r\n`;
  const order = sampleOrder();
  const text = JSON.stringify(order);
  const stages = [
    head,
    `${head}Content-Length: ${text.length}\r\n\r\n`,
    `${head}Content-Length: ${text.length}\r\n\r\n${text.slice(0, 50)}`,
    `${head}Transfer-Encoding: chunked\r\n\r\n20\r\n${text.slice(0, 32)}\r\n`,
  ];
  for (const stage of stages) await abortAfter(stage);
  // A complete request: the intake holds the order when its client disconnects.
  await abortAfter(`${head}Content-Length: ${text.length}\r\n\r\n${text}`, () =>
    vi.waitFor(() => expect(intake.taken.at(-1)?.orderId).toBe(order.orderId)),
  );
  intake.settle();
  await vi.waitFor(async () => {
    expect(await gauge('unanswered_orders')).toBe(0);
    expect(await gauge('unanswered_bytes')).toBe(0);
  });
  // The order is in the log although its client got no answer: the repeat gets 202.
  expect((await gateway.post(order)).status).toBe(202);
});

test('bytes of slow bodies count until the client disconnects', async () => {
  const part = 'x'.repeat(200 * 1024);
  const head = `POST /v1/orders HTTP/1.1\r\nHost: x\r\nAuthorization: ${await gateway.bearer()}\r\nContent-Type: application/json\r\nContent-Length: ${limits.orderBytesMax}\r\n\r\n`;
  const sockets = await Promise.all(Array.from({ length: 5 }, () => open(head + part)));
  await vi.waitFor(async () => expect(await gauge('unanswered_bytes')).toBe(5 * part.length), { timeout: 5_000 });
  const sixth = await raw(head + part);
  expect(sixth).toMatch(/^HTTP\/1\.1 503 /);
  for (const socket of sockets) socket.destroy();
  await vi.waitFor(async () => expect(await gauge('unanswered_bytes')).toBe(0), { timeout: 5_000 });
});

test.each([
  ['two different lengths', 'Content-Length: 5\r\nContent-Length: 6\r\n\r\n{"a":1'],
  ['a length and chunks', 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  ['a negative length', 'Content-Length: -1\r\n\r\n'],
  ['a length that is no number', 'Content-Length: 1e3\r\n\r\n'],
  ['an unknown transfer coding', 'Transfer-Encoding: gzip\r\n\r\n{"a":1}'],
  ['a transfer coding that only looks like chunks', 'Transfer-Encoding: xchunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n'],
  ['a list of transfer codings', 'Transfer-Encoding: identity, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n'],
  ['two transfer codings', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n2\r\n{}\r\n0\r\n\r\n'],
  ['a list of lengths', 'Content-Length: 2, 2\r\n\r\n{}'],
  ['a length with a sign', 'Content-Length: +2\r\n\r\n{}'],
  ['a length with a space before its colon', 'Content-Length : 2\r\n\r\n{}'],
  ['a line that ends in a bare LF', 'X-A: b\nContent-Length: 2\r\n\r\n{}'],
  ['a NUL in a header', 'X-A: b\0c\r\nContent-Length: 2\r\n\r\n{}'],
  ['a second Host', 'Host: y\r\nContent-Length: 2\r\n\r\n{}'],
  ['a chunk size with 0x', 'Transfer-Encoding: chunked\r\n\r\n0x2\r\n{}\r\n0\r\n\r\n'],
  ['a chunk size that overflows', 'Transfer-Encoding: chunked\r\n\r\n10000000000000002\r\n{}\r\n0\r\n\r\n'],
  ['a bad chunk size', 'Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n'],
  ['a folded header', 'X-A: b\r\n c\r\nContent-Length: 2\r\n\r\n{}'],
])('%s never becomes an order, and the server lives on', async (_name, rest) => {
  const before = intake.taken.length;
  const answer = await raw(
    `POST /v1/orders HTTP/1.1\r\nHost: x\r\nAuthorization: ${await gateway.bearer()}\r\nContent-Type: application/json\r\n${rest}`,
  );
  expect(answer).toMatch(/^(HTTP\/1\.1 [45]\d\d |$)/);
  expect(intake.taken).toHaveLength(before);
  expect((await gateway.call('/openapi.json')).status).toBe(200);
});

test('closing answers orders in flight and refuses new ones', async () => {
  const held = new HeldIntake();
  const server = await startServerOn(held);
  const order = sampleOrder();
  const answer = server.post(order);
  await vi.waitFor(() => expect(held.taken).toHaveLength(1));
  const closed = server.role.close();
  held.settle();
  expect((await answer).status).toBe(202);
  await closed;
  await expect(server.post(sampleOrder())).rejects.toThrow();
  await server[Symbol.asyncDispose]();
});

async function gauge(name: string): Promise<number> {
  const metrics = await (await fetch(`${gateway.admin}/metrics`)).text();
  return Number(new RegExp(`^ordermesh_gateway_${name}\\{role="gateway"\\} (\\d+)$`, 'm').exec(metrics)?.[1]);
}

function open(text: string) {
  const { hostname, port } = new URL(gateway.url);
  return new Promise<ReturnType<typeof connect>>((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write(text, () => resolve(socket)));
    socket.once('error', reject);
  });
}

/** Sends these bytes and returns the first answer, or nothing if the server closes without one. */
async function raw(text: string): Promise<string> {
  const socket = await open(text);
  return new Promise((resolve) => {
    socket.once('data', (data) => {
      socket.destroy();
      resolve(data.toString('latin1'));
    });
    socket.once('error', () => resolve(''));
    socket.once('close', () => resolve(''));
  });
}

async function abortAfter(text: string, until: () => Promise<unknown> = async () => {}): Promise<void> {
  const socket = await open(text);
  await until();
  socket.resetAndDestroy();
}
