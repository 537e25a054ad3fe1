import { once } from 'node:events';
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { GrpcClient, orderMessage, StreamClient } from './grpc/client.ts';
import { opcode, RawWebSocket } from './raw-websocket.ts';
import { HeldIntake, sampleOrder, startServerOn, storeId, type TestServer } from './support.ts';

/** Long enough for two checks of the open connections, and well below the promised minute. */
const ENDS_WITHIN = { timeout: 20_000, interval: 100 };

async function signer(kid: string) {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid, alg: 'ES256' };
  const bearer = async ({ expiresInS = 3_600, ...claims }: { expiresInS?: number; [claim: string]: unknown } = {}) => {
    const now = Math.floor(Date.now() / 1_000);
    const token = new SignJWT({
      store: storeId,
      iss: 'ordermesh-dev',
      aud: 'ordermesh',
      jti: crypto.randomUUID(),
      ...claims,
    });
    const signed = token
      .setProtectedHeader({ alg: 'ES256', kid })
      .setIssuedAt(now)
      .setExpirationTime(now + expiresInS);
    return `Bearer ${await signed.sign(privateKey)}`;
  };
  return { jwk, bearer };
}

const kept = await signer('kept');
const withdrawn = await signer('withdrawn');

let directory: string;
let jwks: string;
let revoked: string;
let intake: HeldIntake;
let gateway: TestServer;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ordermesh-ended-'));
  jwks = join(directory, 'jwks.json');
  revoked = join(directory, 'revoked');
  await publish('first', [kept.jwk, withdrawn.jwk]);
  await symlink(join('..data', 'jwks.json'), jwks);
  await writeFile(revoked, '');
  intake = new HeldIntake();
  gateway = await startServerOn(intake, { ORDERMESH_JWKS: jwks, ORDERMESH_REVOKED_TOKENS_FILE: revoked });
});
afterEach(async () => {
  await gateway[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

/** As Kubernetes replaces a secret: files in a new folder, and one rename of the link `..data` to it. */
async function publish(version: string, keys: object[]): Promise<void> {
  const folder = join(directory, version);
  await mkdir(folder);
  await writeFile(join(folder, 'jwks.json'), JSON.stringify({ keys }));
  await symlink(version, join(directory, '..data_tmp'));
  await rename(join(directory, '..data_tmp'), join(directory, '..data'));
}

/** An open WebSocket and an open SubmitStream, both of which have had an answer. */
async function open(authorization: string) {
  const socket = new RawWebSocket(gateway.url, 'ordermesh.v1.json', { headers: { authorization } });
  await socket.head;
  const client = new GrpcClient(gateway.role.addresses.grpc ?? '', authorization);
  const call = new StreamClient(client.stream());
  const before = intake.taken.length;
  socket.submit(1, sampleOrder());
  call.stream.write({ id: 1, order: orderMessage(sampleOrder()) });
  await vi.waitFor(() => expect(intake.taken).toHaveLength(before + 2));
  intake.settle();
  await vi.waitFor(() => expect([socket.messages.length, call.answers.size]).toEqual([1, 1]));
  const closeFrame = () => socket.frames.find((frame) => frame.opcode === opcode.close);
  return {
    socket,
    call,
    isOpen: () => closeFrame() === undefined && !call.stream.destroyed,
    /** Waits until both have ended. */
    async ended() {
      await vi.waitFor(() => expect(closeFrame()?.payload.readUInt16BE()).toBe(4401), ENDS_WITHIN);
      expect(socket.messages.at(-1)).toMatchObject({
        type: 'error',
        problem: { status: 401, code: 'unauthenticated' },
      });
      const { code, message } = await call.ended;
      expect(code).toBe(status.UNAUTHENTICATED);
      return [socket.messages.at(-1).problem.detail as string, message];
    },
    [Symbol.dispose]() {
      socket[Symbol.dispose]();
      client[Symbol.dispose]();
    },
  };
}

async function postStatus(authorization: string): Promise<number> {
  const answer = gateway.call(`/v1/orders/${crypto.randomUUID()}`, { headers: { authorization } });
  return (await answer).status;
}

test('streams end with the token that opened them', async () => {
  using short = await open(await kept.bearer({ expiresInS: 3 }));
  using long = await open(await kept.bearer());
  for (const detail of await short.ended()) expect(detail).toContain('the token is expired');
  expect(long.isOpen()).toBe(true);
});

test('with a key that was removed from the file no connection opens, and open connections end', async () => {
  const gone = await withdrawn.bearer();
  const good = await kept.bearer();
  using ofGone = await open(gone);
  using ofKept = await open(good);
  await publish('second', [kept.jwk]);
  for (const detail of await ofGone.ended()) expect(detail).toContain('the key that signed the token is not trusted');
  expect(await postStatus(gone)).toBe(401);
  expect(await postStatus(good)).toBe(404);
  expect(ofKept.isOpen()).toBe(true);
  const metrics = await (await fetch(`${gateway.admin}/metrics`)).text();
  expect(metrics).toMatch(/^ordermesh_gateway_credentials_ended_total\{role="gateway"\} 2$/m);
});

test('a rule ends all tokens of a store, of a device, or from before a time', async () => {
  const till = await kept.bearer({ sub: 'till-1' });
  const kiosk = await kept.bearer({ sub: 'kiosk-1' });
  const elsewhere = await kept.bearer({ store: 'us-ny-0002' });
  using ofTill = await open(till);
  using ofKiosk = await open(kiosk);
  await writeFile(revoked, 'device till-1\n');
  for (const detail of await ofTill.ended()) expect(detail).toContain('revoked');
  expect([await postStatus(till), await postStatus(kiosk)]).toEqual([401, 404]);
  const soon = new Date(Date.now() + 10_000).toISOString();
  await writeFile(revoked, `# lost on Friday\nstore ${storeId} before ${soon}\n`);
  await ofKiosk.ended();
  expect([await postStatus(kiosk), await postStatus(elsewhere)]).toEqual([401, 404]);
  await writeFile(revoked, `before ${soon}\n`);
  await vi.waitFor(async () => expect(await postStatus(elsewhere)).toBe(401), ENDS_WITHIN);
});

test('orders that were taken before the end are answered before the connection closes', async () => {
  using short = await open(await kept.bearer({ expiresInS: 3 }));
  short.socket.submit(2, sampleOrder());
  await vi.waitFor(() => expect(intake.unanswered).toBe(1));
  await vi.waitFor(() => expect(short.socket.messages.at(-1).problem?.status).toBe(401), ENDS_WITHIN);
  intake.settle();
  await vi.waitFor(() => expect(short.socket.messages.at(-1)).toMatchObject({ id: 2, type: 'order.accepted' }));
  await vi.waitFor(() => expect(short.socket.frames.at(-1)?.opcode).toBe(opcode.close), ENDS_WITHIN);
});

test('a body that arrives after its token has ended is refused', async () => {
  const authorization = await kept.bearer({ expiresInS: 2 });
  const text = JSON.stringify(sampleOrder());
  const { hostname, port } = new URL(gateway.url);
  const socket = connect(Number(port), hostname);
  socket.write(
    `POST /v1/orders HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${text.length}\r\n\r\n${text.slice(0, 10)}`,
  );
  await vi.waitFor(async () => expect(await postStatus(authorization)).toBe(401), ENDS_WITHIN);
  socket.write(text.slice(10));
  const [answer] = await once(socket, 'data');
  expect(String(answer)).toMatch(/^HTTP\/1\.1 401 /);
  expect(intake.taken).toEqual([]);
  socket.destroy();
});
