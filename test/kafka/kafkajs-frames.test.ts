import { once } from 'node:events';
import { createRequire } from 'node:module';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import '../../kafka/kafkajs/kafkajs-frames.ts';

const require = createRequire(import.meta.url);

interface Connection {
  connect(): Promise<boolean>;
  disconnect(): Promise<boolean>;
  isConnected(): boolean;
  requestQueue: { fulfillRequest(response: { correlationId: number; payload: Buffer }): void };
}
const Connection = require('kafkajs/src/network/connection.js') as new (options: object) => Connection;

let server: Server;
let sockets: Socket[];
let connection: Connection;
let answered: number[];

beforeEach(async () => {
  sockets = [];
  answered = [];
  server = createServer({ allowHalfOpen: true }, (socket) => sockets.push(socket)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const logger = { namespace: () => logger, debug() {}, error() {}, warn() {}, info() {} };
  connection = new Connection({
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    logger,
    connectionTimeout: 5_000,
    requestTimeout: 5_000,
    socketFactory: ({ host, port, onConnect }: { host: string; port: number; onConnect(): void }) =>
      connect({ host, port }, onConnect),
  });
  connection.requestQueue.fulfillRequest = ({ correlationId }) => answered.push(correlationId);
});

afterEach(() => {
  for (const socket of sockets) socket.destroy();
  server.close();
});

/** An answer on the wire: its size, the number of its request, and some bytes. */
function answer(correlationId: number, bytes = 20): Buffer {
  const frame = Buffer.alloc(8 + bytes);
  frame.writeInt32BE(4 + bytes, 0);
  frame.writeInt32BE(correlationId, 4);
  return frame;
}

async function nextSocket(count: number): Promise<Socket> {
  await connection.connect();
  await vi.waitFor(() => expect(sockets).toHaveLength(count));
  return sockets[count - 1] as Socket;
}

test('starts each socket with an empty buffer: half of an answer from the old socket is dropped, and its other half is not read', async () => {
  const first = await nextSocket(1);
  first.write(answer(1));
  first.write(answer(2).subarray(0, 12));
  await vi.waitFor(() => expect(answered).toEqual([1]));
  await connection.disconnect();
  const second = await nextSocket(2);
  // The first socket is closed, or still accepts bytes that no connection reads.
  first.on('error', () => {}).write(answer(2).subarray(12));
  second.write(answer(3));
  await vi.waitFor(() => expect(answered).toEqual([1, 3]));
});

test('bytes that are not a frame end the connection, not the process', async () => {
  const first = await nextSocket(1);
  first.write(Buffer.from([0, 0, 0, 2, 1, 1]));
  await vi.waitFor(() => expect(connection.isConnected()).toBe(false));
  const second = await nextSocket(2);
  second.write(answer(4));
  await vi.waitFor(() => expect(answered).toEqual([4]));
});
