import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type RequestOptions, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentials, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { Order } from '../../contracts/order/order.ts';
import { certificate } from '../../stack/certificates.ts';
import { GrpcClient, orderMessage, StreamClient } from './grpc/client.ts';
import { PromptIntake } from './prompt-intake.ts';
import { RawWebSocket } from './raw-websocket.ts';
import { HeldIntake, sampleOrder, startServerOn, type TestServer } from './support.ts';

const uri = (store: string) => `urn:ordermesh:store:${store}`;
const authority = certificate('authority');
const stranger = certificate('another authority');
const own = certificate('gateway', { by: authority, for: 'server' });
const till = certificate('till-1', { by: authority, uris: [uri('us-il-0001')] });
const foreign = certificate('till-1', { by: stranger, uris: [uri('us-il-0001')] });
const expired = certificate('till-1', { by: authority, uris: [uri('us-il-0001')], days: -1 });
const ofServer = certificate('till-1', { by: authority, uris: [uri('us-il-0001')], for: 'server' });
const nameless = certificate('us-il-0001', { by: authority, uris: ['https://us-il-0001.example.com'] });

const intake = new PromptIntake();
let directory: string;
let gateway: TestServer;
let files: Record<'TLS_CERT_FILE' | 'TLS_KEY_FILE' | 'TLS_CLIENT_CA_FILE', string>;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ordermesh-mtls-'));
  const file = async (name: string, text: string) => {
    await writeFile(join(directory, name), text);
    return join(directory, name);
  };
  files = {
    TLS_CERT_FILE: await file('cert.pem', own.cert),
    TLS_KEY_FILE: await file('key.pem', own.key),
    TLS_CLIENT_CA_FILE: await file('ca.pem', authority.cert),
  };
  gateway = await startServerOn(intake, { ...files, ORDERMESH_CORS_ORIGINS: 'https://till.example.com' });
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

interface Answer {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests read what the server answered.
  body: any;
}
type Pair = Pick<RequestOptions, 'cert' | 'key'>;

function call(method: string, path: string, pair: Pair, body = '', headers = {}): Promise<Answer> {
  const { cert, key } = pair;
  const options = { method, ca: authority.cert, cert, key, agent: false as const };
  return new Promise((resolve, reject) => {
    const sent = request(
      gateway.url + path,
      { ...options, headers: { 'content-type': 'application/json', ...headers } },
      async (response) => {
        const text = Buffer.concat(await response.toArray()).toString();
        resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) });
      },
    );
    sent.once('error', reject);
    sent.end(body);
  });
}

const post = (pair: Pair, order: Order, headers = {}) =>
  call('POST', '/v1/orders', pair, JSON.stringify(order), headers);

test('a client certificate stands for the store that its URI names', async () => {
  const order = sampleOrder();
  expect(await post(till, order)).toMatchObject({ status: 202, body: { orderId: order.orderId } });
  expect(await post(till, sampleOrder({ storeId: 'us-ny-0002' }))).toMatchObject({
    status: 403,
    body: { code: 'forbidden' },
  });
  const lines = [sampleOrder(), sampleOrder()].map((line) => JSON.stringify(line)).join('\n');
  const batch = await call('POST', '/v1/orders/batch', till, lines, { 'content-type': 'application/x-ndjson' });
  expect(batch.body.results.map((line: Answer) => line.status)).toEqual([202, 202]);
  const path = `/v1/orders/${order.orderId}`;
  expect(await call('GET', path, till)).toMatchObject({ status: 200, body: { status: 'accepted' } });
  const other = certificate('till-2', { by: authority, uris: [uri('us-ny-0002')] });
  expect(await call('GET', path, other)).toMatchObject({ status: 404 });
});

test('a token works instead, and decides when both are there', async () => {
  const authorization = await gateway.bearer({ store: 'us-ny-0002' });
  const theirs = sampleOrder({ storeId: 'us-ny-0002' });
  expect((await post({}, theirs, { authorization })).status).toBe(202);
  expect((await post(till, sampleOrder({ storeId: 'us-ny-0002' }), { authorization })).status).toBe(202);
  expect((await post(till, sampleOrder(), { authorization })).status).toBe(403);
  expect((await post(till, sampleOrder(), { authorization: 'Bearer abc' })).status).toBe(401);
  expect(await post({}, sampleOrder())).toMatchObject({ status: 401, body: { code: 'unauthenticated' } });
});

test.each([
  ['another authority', foreign],
  ['an expired one', expired],
  ['one for servers', ofServer],
  ['one that it signed itself', certificate('till-1', { uris: [uri('us-il-0001')] })],
])('a certificate of %s ends the handshake', async (_name, pair) => {
  await expect(post(pair, sampleOrder())).rejects.toThrow();
  const grpc = grpcClient(pair);
  expect((await grpc.submit(orderMessage(sampleOrder()))).code).toBe(status.UNAVAILABLE);
  grpc[Symbol.dispose]();
  expect((await post(till, sampleOrder())).status).toBe(202);
});

test.each([
  ['no store', nameless],
  ['two stores', certificate('t', { by: authority, uris: [uri('us-il-0001'), uri('us-ny-0002')] })],
  ['a store inside of another name', certificate('t', { by: authority, uris: [`x, URI:${uri('us-il-0001')}`] })],
  ['a store in quotes', certificate('t', { by: authority, uris: [`"${uri('us-il-0001')}"`] })],
])('a certificate that names %s is refused', async (_name, pair) => {
  const answer = await post(pair, sampleOrder());
  expect(answer).toMatchObject({ status: 401, body: { detail: expect.stringContaining('urn:ordermesh:store:') } });
});

test('a certificate cannot be claimed in a header', async () => {
  const pem = till.cert.replaceAll('\n', ' ');
  for (const authorization of [pem, `Bearer ${pem}`, till.cert.split('\n').slice(1, -2).join('')])
    expect((await post({}, sampleOrder(), { authorization })).status).toBe(401);
  const headers = { 'x-forwarded-client-cert': pem, 'client-cert': `:${till.cert.split('\n').slice(1, -2).join('')}:` };
  expect((await post({}, sampleOrder(), headers)).status).toBe(401);
});

test('over WebSocket the certificate is that of the upgrade; pages of another origin may not use it', async () => {
  const tls = { ca: authority.cert, cert: till.cert, key: till.key };
  const open = (headers: Record<string, string> = {}, pair: { cert: string; key: string } = till) =>
    new RawWebSocket(gateway.url, 'ordermesh.v1.json', { tls: { ...tls, cert: pair.cert, key: pair.key }, headers });
  using client = open();
  expect(await client.head).toMatch(/^HTTP\/1\.1 101 /);
  const orders = [sampleOrder(), sampleOrder({ storeId: 'us-ny-0002' })];
  for (const [id, order] of orders.entries()) client.submit(id, order);
  await vi.waitFor(() => expect(client.messages).toHaveLength(2));
  expect(client.messages.find(({ id }) => id === 0)).toMatchObject({ orderId: orders[0]?.orderId });
  expect(client.messages.find(({ id }) => id === 1)).toMatchObject({ problem: { status: 403 } });
  using foreignPage = open({ origin: 'https://evil.example.com' });
  expect(await foreignPage.head).toMatch(/^HTTP\/1\.1 403 /);
  using page = open({ origin: 'https://till.example.com' });
  expect(await page.head).toMatch(/^HTTP\/1\.1 101 /);
  using refused = open({}, nameless);
  expect(await refused.head).toMatch(/^HTTP\/1\.1 401 /);
});

test('over gRPC a certificate works for calls and streams, and so does a token without one', async () => {
  using client = grpcClient(till);
  const order = sampleOrder();
  expect((await client.submit(orderMessage(order))).code).toBe(status.OK);
  expect((await client.submit(orderMessage(sampleOrder({ storeId: 'us-ny-0002' })))).code).toBe(
    status.PERMISSION_DENIED,
  );
  expect(await client.get(order.orderId)).toMatchObject({ code: status.OK, answer: { storeId: 'us-il-0001' } });
  const { stream, answers, ended } = new StreamClient(client.stream());
  stream.write({ id: 1, order: orderMessage(sampleOrder()) });
  stream.end();
  expect((await ended).code).toBe(status.OK);
  expect(answers.get(1).accepted).toBeDefined();
  using bearer = grpcClient({}, await gateway.bearer());
  expect((await bearer.submit(orderMessage(sampleOrder()))).code).toBe(status.OK);
  for (const pair of [{}, nameless]) {
    using refused = grpcClient(pair);
    expect((await refused.submit(orderMessage(sampleOrder()))).code).toBe(status.UNAUTHENTICATED);
  }
});

test('invalid combinations of files are reported at start', async () => {
  const start = (changes: Record<string, string>) => startServerOn(new HeldIntake(), { ...files, ...changes });
  for (const [name, value] of [
    ['TLS_CERT_FILE', join(directory, 'none.pem')],
    ['TLS_CERT_FILE', files.TLS_KEY_FILE],
    ['TLS_KEY_FILE', files.TLS_CERT_FILE],
    ['TLS_CLIENT_CA_FILE', files.TLS_KEY_FILE],
  ] as const)
    await expect(start({ [name]: value }), name).rejects.toThrow(new RegExp(`^${name} is .*; it takes`));
  await expect(start({ TLS_KEY_FILE: '' })).rejects.toThrow(/belong together/);
  await expect(start({ TLS_CERT_FILE: '', TLS_KEY_FILE: '' })).rejects.toThrow(/TLS_CLIENT_CA_FILE needs/);
});

function grpcClient(pair: { cert?: string; key?: string }, authorization = ''): GrpcClient {
  const pem = (text: string | undefined) => (text === undefined ? null : Buffer.from(text));
  const channel = credentials.createSsl(Buffer.from(authority.cert), pem(pair.key), pem(pair.cert));
  return new GrpcClient(gateway.role.addresses.grpc ?? '', authorization, channel);
}
