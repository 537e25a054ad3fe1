import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, test, vi } from 'vitest';
import { certificate } from '../../stack/certificates.ts';
import { PromptIntake } from './prompt-intake.ts';
import { frame, opcode, RawWebSocket } from './raw-websocket.ts';
import { sampleOrder, startServerOn, type TestServer } from './support.ts';

const authority = certificate('authority');
const own = certificate('gateway', { by: authority, for: 'server' });
const intake = new PromptIntake();
let directory: string;
let plain: TestServer;
let secure: TestServer;
let impatient: TestServer;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ordermesh-slow-'));
  const [TLS_CERT_FILE, TLS_KEY_FILE] = [join(directory, 'cert.pem'), join(directory, 'key.pem')];
  await writeFile(TLS_CERT_FILE, own.cert);
  await writeFile(TLS_KEY_FILE, own.key);
  plain = await startServerOn(intake);
  secure = await startServerOn(intake, { TLS_CERT_FILE, TLS_KEY_FILE });
  impatient = await startServerOn(intake, { ORDERMESH_UPLOAD_TIMEOUT: '2s' });
});
afterAll(async () => {
  for (const server of [plain, secure, impatient]) await server[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

const BYTES_PER_SECOND = 1_024;

/** An order of about this number of bytes, by its number of items. */
function largeOrder(bytes: number) {
  const modifiers = Array.from({ length: 4 }, () => ({ sku: 'extra-pickles-on-the-side', unitPrice: 0 }));
  const item = { sku: 'double-cheeseburger', quantity: 1, unitPrice: 599, modifiers, note: 'n'.repeat(200) };
  const count = Math.round(bytes / JSON.stringify(item).length);
  return sampleOrder({ items: Array.from({ length: count }, () => item), total: 599 * count });
}

/** Writes at this speed, until everything is written or the connection is closed. */
async function trickle(socket: Socket, bytes: Buffer, bytesPerSecond = BYTES_PER_SECOND): Promise<void> {
  const piece = Math.ceil(bytesPerSecond / 4);
  for (let at = 0; at < bytes.length && !socket.destroyed; at += piece) {
    socket.write(bytes.subarray(at, at + piece));
    await delay(250);
  }
}

function open(server: TestServer): { socket: Socket; answer: Promise<string>; closed: Promise<void> } {
  const { hostname: host, port, protocol } = new URL(server.url);
  const socket =
    protocol === 'https:' ? connectTls({ host, port: Number(port), ca: authority.cert }) : connect(Number(port), host);
  socket.on('error', () => {});
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()));
  const answer = new Promise<string>((resolve) => {
    socket.once('data', (data) => resolve(data.toString('latin1')));
    socket.once('close', () => resolve(''));
  });
  return { socket, answer, closed };
}

async function head(server: TestServer, ...lines: string[]): Promise<string> {
  const own = ['Host: x', `Authorization: ${await server.bearer()}`, 'Content-Type: application/json', ...lines];
  return `POST /v1/orders HTTP/1.1\r\n${own.join('\r\n')}\r\n\r\n`;
}

async function gauge(server: TestServer, name: string): Promise<number> {
  const metrics = await (await fetch(`${server.admin}/metrics`)).text();
  return Number(new RegExp(`^ordermesh_gateway_${name}\\{role="gateway"\\} (\\d+)$`, 'm').exec(metrics)?.[1]);
}

describe.concurrent('a line of 1 KB a second', () => {
  // uWebSockets.js alone would close a connection that takes longer than 30 s at this speed.
  test.for([
    ['HTTP', 20_000, () => plain],
    ['HTTP', 36_000, () => plain],
    ['HTTPS', 36_000, () => secure],
  ] as const)('%s: an order of %i bytes is taken', async ([, bytes, server], { expect }) => {
    const order = largeOrder(bytes);
    const body = Buffer.from(JSON.stringify(order));
    const { socket, answer } = open(server());
    await trickle(socket, Buffer.from(await head(server(), `Content-Length: ${body.length}`)), 100_000);
    await trickle(socket, body);
    expect(await answer).toMatch(/^HTTP\/1\.1 202 /);
    expect(intake.taken.find(({ orderId }) => orderId === order.orderId)?.value.equals(body)).toBe(true);
    socket.destroy();
  });

  test('an order in a WebSocket frame is taken, too', async ({ expect }) => {
    using client = new RawWebSocket(plain.url, 'ordermesh.v1.json', {
      headers: { authorization: await plain.bearer() },
    });
    await client.head;
    const order = largeOrder(20_000);
    await trickle(client.socket, frame(opcode.text, JSON.stringify({ id: 1, type: 'order.submit', order })));
    await vi.waitFor(() => expect(client.messages).toHaveLength(1), { timeout: 5_000 });
    expect(client.messages[0]).toEqual({ id: 1, type: 'order.accepted', orderId: order.orderId });
  });

  test.for([
    ['a body that comes too slowly', ['Content-Length: 20000'], '{"orderId":'.padEnd(20_000)],
    ['a body that does not come', ['Content-Length: 100'], ''],
    ['chunks that come too slowly', ['Transfer-Encoding: chunked'], '4e20\r\n'.padEnd(20_000)],
    ['chunks that do not come', ['Transfer-Encoding: chunked'], ''],
  ] as const)('%s gets 408 when its time is up, and the connection ends', async ([, lines, body], { expect }) => {
    const { socket, answer, closed } = open(impatient);
    socket.write(await head(impatient, ...lines));
    const sent = trickle(socket, Buffer.from(body));
    const text = await answer;
    expect(text).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/);
    expect(text).toMatch(/\r\ncontent-type: application\/problem\+json\r\n/);
    expect(text).toMatch(/\r\nConnection: close\r\n/);
    expect(text).toContain('"code":"upload-timeout"');
    await vi.waitFor(async () => expect(await gauge(impatient, 'unanswered_bytes')).toBe(0), { timeout: 10_000 });
    await closed;
    await sent;
  });

  test('an answer before the end of the body ends the connection, which uWebSockets.js would never close', async ({
    expect,
  }) => {
    const { socket, answer, closed } = open(plain);
    socket.write((await head(plain, 'Content-Length: 10')).replace('Bearer ', 'Bearer x'));
    socket.write('12345');
    expect(await answer).toMatch(/^HTTP\/1\.1 401 .*\r\nConnection: close\r\n/s);
    await closed;
  });

  test('headers that never end are cut, and others are served meanwhile', async ({ expect }) => {
    const { socket, answer, closed } = open(plain);
    const lines = Buffer.from(`GET /openapi.json HTTP/1.1\r\nHost: x\r\nX-A: ${'a'.repeat(3_000)}`);
    const sent = trickle(socket, lines, 40);
    expect((await plain.post(sampleOrder())).status).toBe(202);
    await closed;
    expect(await answer).toBe('');
    await sent;
    expect((await plain.post(sampleOrder())).status).toBe(202);
  });
});
