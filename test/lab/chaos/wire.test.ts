import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  answeredRequest,
  apiKeys,
  FrameCutter,
  type RequestKind,
  requestHead,
} from '../../../lab/chaos/wire/frames.ts';
import type { HowLost } from '../../../lab/chaos/wire/losses.ts';
import { Wire, type WireSecurity } from '../../../lab/chaos/wire/wire.ts';
import { brokerSecurity } from '../../../stack/kafka/broker-security.ts';
import { isPortFree } from '../../../stack/ports.ts';
import { answerFrame, requestFrame } from './kafka-frames.ts';

let stack: AsyncDisposableStack;
let wire: Wire;
let port: number;
/** Requests that reached the broker. */
let received: number[];

let directory: string | undefined;
let files: WireSecurity | undefined;
let tls: { key: Buffer; cert: Buffer; ca: Buffer } | undefined;

describe.each(['open', 'secured'])('to an %s broker, the wire', (kind) => {
  beforeAll(async () => {
    if (kind === 'open') return;
    directory = await mkdtemp(path.join(tmpdir(), 'ordermesh-wire-'));
    files = await brokerSecurity(directory);
    const own = await readFile(files.keystoreFile);
    tls = { key: own, cert: own, ca: await readFile(files.caFile) };
  });
  afterAll(async () => {
    if (directory !== undefined) await rm(directory, { recursive: true });
  });

  beforeEach(async () => {
    stack = new AsyncDisposableStack();
    received = [];
    const sockets = new Set<Socket>();
    const serve = (socket: Socket) => {
      sockets.add(socket);
      const cutter = new FrameCutter();
      socket.on('error', () => {});
      socket.on('data', (piece) =>
        cutter.push(piece, (frame) => {
          const { correlationId } = requestHead(frame);
          received.push(correlationId);
          // Byte by byte: answers arrive in pieces.
          for (const byte of answerFrame(correlationId)) socket.write(Buffer.from([byte]));
        }),
      );
    };
    const broker = tls === undefined ? createServer(serve) : createTlsServer(tls, serve);
    await once(broker.listen(0, '127.0.0.1'), 'listening');
    stack.defer(() => {
      for (const socket of sockets) socket.destroy();
      broker.close();
    });
    port = await freePort();
    wire = await Wire.start([{ port, brokerPort: (broker.address() as AddressInfo).port }], files);
    stack.defer(() => wire.close());
  });
  afterEach(() => stack.disposeAsync());

  test('passes requests and answers in their order', async () => {
    const client = await open();
    for (let number = 1; number <= 50; number++) client.ask('Fetch', number);
    await vi.waitFor(() => expect(client.answers).toHaveLength(50));
    expect(client.answers).toEqual(Array.from({ length: 50 }, (_, index) => index + 1));
  });

  test('closes the connection instead of the answer, and the broker has done as it was asked', async () => {
    const client = await open();
    const loss = lose('SyncGroup', { how: 'closed' });
    client.ask('Heartbeat', 1);
    await vi.waitFor(() => expect(client.answers).toEqual([1]));
    expect(loss.isMet).toBe(false);
    client.ask('SyncGroup', 2);
    await loss.met;
    await client.closed;
    expect(client.answers).toEqual([1]);
    expect(received).toEqual([1, 2]);
    const next = await open();
    next.ask('SyncGroup', 3);
    await vi.waitFor(() => expect(next.answers).toEqual([3]));
  });

  test('swallows one answer and passes the next ones', async () => {
    const client = await open();
    const loss = lose('OffsetCommit', { how: 'swallowed' });
    for (const number of [1, 2, 3]) client.ask('OffsetCommit', number);
    await loss.met;
    await vi.waitFor(() => expect(client.answers).toEqual([2, 3]));
    expect(received).toEqual([1, 2, 3]);
  });

  test('holds up a late answer and all behind it', async () => {
    const client = await open();
    const loss = lose('JoinGroup', { how: 'late', lateMs: 100 });
    client.ask('Heartbeat', 1);
    client.ask('JoinGroup', 2);
    client.ask('Heartbeat', 3);
    await vi.waitFor(() => expect(received).toEqual([1, 2, 3]));
    await vi.waitFor(() => expect(client.answers).toEqual([1]));
    expect(loss.isMet).toBe(false);
    await loss.met;
    await vi.waitFor(() => expect(client.answers).toEqual([1, 2, 3]));
  });

  test('takes the answers of those clients only, also of their producers', async () => {
    const [other, producer] = [await open('payment'), await open('kitchen-slot-0')];
    const loss = lose('Produce', { how: 'swallowed' });
    other.ask('Produce', 1);
    await vi.waitFor(() => expect(other.answers).toEqual([1]));
    expect(loss.isClaimed).toBe(false);
    producer.ask('Produce', 2);
    await loss.met;
    expect(producer.answers).toEqual([]);
  });

  test('loses nothing once it is disarmed', async () => {
    const client = await open();
    const loss = lose('LeaveGroup', { how: 'closed' });
    wire.disarm(loss);
    client.ask('LeaveGroup', 1);
    await vi.waitFor(() => expect(client.answers).toEqual([1]));
  });

  test('counts an answer that goes down with its connection as lost', async () => {
    const client = await open();
    const loss = lose('Heartbeat', { how: 'late', lateMs: 60_000 });
    client.ask('Heartbeat', 1);
    await vi.waitFor(() => expect(received).toEqual([1]));
    client.close();
    await loss.met;
  });
});

function lose(request: RequestKind, lost: HowLost) {
  return wire.lose({ request, client: 'kitchen', lost });
}

async function open(clientId = 'kitchen') {
  const address = { port, host: '127.0.0.1' };
  const socket = tls === undefined ? connect(address) : connectTls({ ...address, ca: tls.ca });
  await once(socket, tls === undefined ? 'connect' : 'secureConnect');
  stack.defer(() => void socket.destroy());
  const answers: number[] = [];
  const cutter = new FrameCutter();
  socket.on('data', (piece) => cutter.push(piece, (frame) => answers.push(answeredRequest(frame))));
  return {
    answers,
    closed: once(socket, 'close'),
    close: () => socket.destroy(),
    ask: (kind: RequestKind, correlationId: number) =>
      socket.write(requestFrame({ apiKey: apiKeys[kind], correlationId, clientId })),
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port: free } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  expect(await isPortFree(free)).toBe(true);
  return free;
}
