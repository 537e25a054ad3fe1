import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { GrpcClient, orderMessage, StreamClient } from './grpc/client.ts';
import { PromptIntake } from './prompt-intake.ts';
import { opcode, RawWebSocket } from './raw-websocket.ts';
import { sampleOrder, startServerOn, storeId, type TestServer } from './support.ts';

const claims = { store: storeId, iss: 'ordermesh-dev', aud: 'ordermesh' };
const own = await generateKeyPair('ES256', { extractable: true });
const stranger = await generateKeyPair('ES256', { extractable: true });
const jwk = { ...(await exportJWK(own.publicKey)), kid: 'k1', alg: 'ES256' };

async function token(
  changes: object = {},
  { key = own.privateKey, expiresInS = 60, kid = 'k1' } = {},
): Promise<string> {
  return new SignJWT({ ...claims, ...changes })
    .setProtectedHeader({ alg: 'ES256', kid })
    .setExpirationTime(Math.floor(Date.now() / 1_000) + expiresInS)
    .sign(key);
}

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const [head = '', body = '', signature = ''] = (await token()).split('.');
const inAnHour = Math.floor(Date.now() / 1_000) + 3_600;

const wrong: Record<string, string> = {
  'no JWT': 'abc',
  expired: await token({}, { expiresInS: -1 }),
  'without an end': `${head}.${part(claims)}.${signature}`,
  'of alg none': `${part({ alg: 'none' })}.${part({ ...claims, exp: inAnHour })}.`,
  'of alg none in capitals, with a signature': `${part({ alg: 'NONE', kid: 'k1' })}.${body}.${signature}`,
  'signed with the public key as a shared secret': await new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS256', kid: 'k1' })
    .setExpirationTime('1h')
    .sign(Buffer.from(JSON.stringify(jwk))),
  'with its own key in its head': await new SignJWT(claims)
    .setProtectedHeader({ alg: 'ES256', jwk: await exportJWK(stranger.publicKey) })
    .setExpirationTime('1h')
    .sign(stranger.privateKey),
  'of a stranger': await token({}, { key: stranger.privateKey }),
  'of an unknown key': await token({}, { kid: 'k2' }),
  'with other claims than were signed': `${head}.${part({ ...claims, exp: inAnHour, store: 'us-ny-0002' })}.${signature}`,
  'for another audience': await token({ aud: 'elsewhere' }),
  'of another issuer': await token({ iss: 'elsewhere' }),
  'for no store': await token({ store: undefined }),
  'for a list of stores': await token({ store: [storeId] }),
};

let directory: string;
let gateway: TestServer;
const intake = new PromptIntake();
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ordermesh-tokens-'));
  const file = join(directory, 'jwks.json');
  await writeFile(file, JSON.stringify({ keys: [jwk] }));
  gateway = await startServerOn(intake, { ORDERMESH_JWKS: file });
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

/** How each transport answers a token. */
async function everyWay(bearer: string, order = sampleOrder()) {
  const authorization = `Bearer ${bearer}`;
  const single = await gateway.post(order, { authorization });
  const batch = await gateway.call('/v1/orders/batch', {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/x-ndjson' },
    body: JSON.stringify(order),
  });
  const read = await gateway.call(`/v1/orders/${order.orderId}`, { headers: { authorization } });
  using header = new RawWebSocket(gateway.url, 'ordermesh.v1.json', { headers: { authorization } });
  using protocol = new RawWebSocket(gateway.url, `ordermesh.v1.json, bearer.${bearer}`);
  const streams = await Promise.all(
    [header, protocol].map(async (socket) => {
      await socket.head;
      socket.submit(1, order);
      const [frame] = await vi.waitFor(() => {
        expect(socket.frames).not.toEqual([]);
        return socket.frames;
      });
      return frame?.opcode === opcode.close
        ? frame.payload.readUInt16BE()
        : (socket.messages[0].problem?.status ?? 202);
    }),
  );
  using client = new GrpcClient(gateway.role.addresses.grpc ?? '', authorization);
  const submit = (await client.submit(orderMessage(order))).code;
  const get = (await client.get(order.orderId)).code;
  const { stream, ended, answers } = new StreamClient(client.stream());
  stream.write({ id: 1, order: orderMessage(order) });
  stream.end();
  const { code } = await ended;
  return {
    http: [single.status, batch.body.results?.[0].status ?? batch.status, read.status],
    streams,
    grpc: [submit, get, answers.get(1)?.error?.code ?? code],
  };
}

test.each(Object.entries(wrong))('a token %s is refused by every transport', async (_name, bearer) => {
  const { UNAUTHENTICATED } = status;
  expect(await everyWay(bearer)).toEqual({
    http: [401, 401, 401],
    streams: [4401, 4401],
    grpc: [UNAUTHENTICATED, UNAUTHENTICATED, UNAUTHENTICATED],
  });
  expect(intake.taken).toEqual([]);
});

test('a token of another store can neither send nor read; the right token can do both', async () => {
  const other = await everyWay(await token({ store: 'us-ny-0002' }));
  expect(other).toEqual({
    http: [403, 403, 404],
    streams: [403, 403],
    grpc: [status.PERMISSION_DENIED, status.NOT_FOUND, status.PERMISSION_DENIED],
  });
  expect(intake.taken).toEqual([]);
  expect(await everyWay(await token())).toEqual({
    http: [202, 202, 200],
    streams: [202, 202],
    grpc: [status.OK, status.OK, status.OK],
  });
});
