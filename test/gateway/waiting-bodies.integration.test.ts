import { createServer, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { GrpcClient, orderMessage } from './grpc/client.ts';
import { PromptIntake } from './prompt-intake.ts';
import { RawWebSocket } from './raw-websocket.ts';
import { HeldIntake, sampleOrder, startServerOn, storeId, type TestServer } from './support.ts';

const BYTES_MAX = 1_048_576;
const keys = await generateKeyPair('ES256', { extractable: true });
let serial = 0;
/** A token that the gateway has not seen. */
async function fresh(): Promise<string> {
  serial++;
  const token = new SignJWT({ store: storeId, iss: 'ordermesh-dev', aud: 'ordermesh', jti: String(serial) });
  return `Bearer ${await token.setProtectedHeader({ alg: 'ES256', kid: 'k1' }).setExpirationTime('1h').sign(keys.privateKey)}`;
}

/** An issuer that answers when the test says so. */
let issuer: Server;
let waiting: ServerResponse[] = [];
let jwks = '';
let gateway: TestServer;
let intake: HeldIntake;
beforeAll(async () => {
  jwks = JSON.stringify({ keys: [{ ...(await exportJWK(keys.publicKey)), kid: 'k1', alg: 'ES256' }] });
  issuer = createServer((_request, response) => waiting.push(response));
  await new Promise<void>((resolve) => issuer.listen(0, '127.0.0.1', resolve));
});
afterAll(() => {
  issuer.closeAllConnections();
  issuer.close();
});

async function start(): Promise<TestServer> {
  waiting = [];
  intake = new PromptIntake();
  gateway = await startServerOn(intake, {
    ORDERMESH_JWKS: `http://127.0.0.1:${(issuer.address() as AddressInfo).port}/jwks`,
    ORDERMESH_UNANSWERED_BYTES_MAX: '1MiB',
  });
  return gateway;
}

function answerKeys(): void {
  for (const response of waiting.splice(0)) response.writeHead(200, { 'content-type': 'application/json' }).end(jwks);
}

async function bytes(): Promise<number> {
  const metrics = await (await fetch(`${gateway.admin}/metrics`)).text();
  return Number(/^ordermesh_gateway_unanswered_bytes\{role="gateway"\} (\d+)$/m.exec(metrics)?.[1]);
}

const large = () => ({ ...sampleOrder(), note: 'x'.repeat(200_000) });

test('a body that waits for its token is counted until it is answered, and refused at the bound', async () => {
  await using _ = await start();
  const order = JSON.stringify(large());
  const posts = await Promise.all(Array.from({ length: 5 }, fresh)).then((tokens) =>
    tokens.map((authorization) => gateway.post(order, { authorization })),
  );
  await vi.waitFor(async () => expect(await bytes()).toBe(5 * order.length));
  expect(await bytes()).toBeLessThanOrEqual(BYTES_MAX);
  const sixth = await gateway.post(order, { authorization: await fresh() });
  expect(sixth).toMatchObject({ status: 503, body: { code: 'overloaded' } });
  answerKeys();
  for (const post of posts) expect((await post).status).toBe(422);
  expect(await bytes()).toBe(0);
});

test('a body whose client has gone is counted until its token is checked', async () => {
  await using _ = await start();
  const order = JSON.stringify(large());
  const { hostname, port } = new URL(gateway.url);
  const socket = connect(Number(port), hostname);
  socket.write(
    `POST /v1/orders HTTP/1.1\r\nHost: x\r\nAuthorization: ${await fresh()}\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${order.length}\r\n\r\n${order}`,
  );
  await vi.waitFor(() => expect(waiting).not.toEqual([]));
  await vi.waitFor(async () => expect(await bytes()).toBe(order.length));
  socket.destroy();
  answerKeys();
  await vi.waitFor(async () => expect(await bytes()).toBe(0));
});

test('early frames of a stream and the message of a call count as well', async () => {
  await using _ = await start();
  using socket = new RawWebSocket(gateway.url, 'ordermesh.v1.json', { headers: { authorization: await fresh() } });
  await socket.head;
  socket.submit(1, sampleOrder());
  await vi.waitFor(async () => expect(await bytes()).toBeGreaterThan(0));
  const early = await bytes();
  using client = new GrpcClient(gateway.role.addresses.grpc ?? '', await fresh());
  const call = client.submit(orderMessage(sampleOrder()));
  await vi.waitFor(async () => expect(await bytes()).toBeGreaterThan(early));
  using gone = new RawWebSocket(gateway.url, 'ordermesh.v1.json', { headers: { authorization: await fresh() } });
  await gone.head;
  const before = await bytes();
  gone.submit(1, sampleOrder());
  await vi.waitFor(async () => expect(await bytes()).toBeGreaterThan(before));
  gone[Symbol.dispose]();
  await vi.waitFor(async () => expect(await bytes()).toBe(before));
  answerKeys();
  expect((await call).code).toBe(0);
  await vi.waitFor(async () => expect(await bytes()).toBe(0));
});

test('a batch counts its whole body until its last order is answered', async () => {
  await using _ = await start();
  intake = new HeldIntake();
  await using held = await startServerOn(intake, { ORDERMESH_UNANSWERED_BYTES_MAX: '4MiB' });
  gateway = held;
  const body = `${JSON.stringify(sampleOrder())}\n${'x'.repeat(100_000)}\n`;
  const answer = held.call('/v1/orders/batch', {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body,
  });
  await vi.waitFor(() => expect(intake.taken).toHaveLength(1));
  expect(await bytes()).toBe(body.length);
  intake.settle();
  expect((await answer).status).toBe(207);
  expect(await bytes()).toBe(0);
});
