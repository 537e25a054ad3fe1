import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { startHttpProxy } from '../../../perf/isolation/http-proxy.ts';
import { startTcpProxy } from '../../../perf/isolation/tcp-proxy.ts';
import { choosePorts, portOf } from '../../../stack/index.ts';

/** Longer than a test may take. */
const FOR_EVER_MS = 1_000_000;
let started: AsyncDisposableStack;

beforeEach(() => {
  started = new AsyncDisposableStack();
});
afterEach(() => started.disposeAsync());

async function serve(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  started.defer(() => void server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const freePort = async () => portOf(await choosePorts(['proxy'], {}), 'proxy');

/** Answers each piece with the same bytes. */
const echo = () => serve(createServer((socket) => void socket.on('error', () => {}).pipe(socket)));

async function open(address: string): Promise<Socket> {
  const { hostname, port } = new URL(`http://${address}`);
  const socket = connect(Number(port), hostname);
  started.defer(() => void socket.destroy());
  await once(socket, 'connect');
  return socket;
}

async function answered(socket: Socket, text: string): Promise<string> {
  socket.write(text);
  let got = '';
  while (got.length < text.length) got += String((await once(socket, 'data'))[0]);
  return got;
}

async function startTcp(target: string) {
  return started.adopt(await startTcpProxy(await freePort(), target), (proxy) => proxy.close());
}

async function startHttp(target: string) {
  return started.adopt(await startHttpProxy(await freePort(), target), (proxy) => proxy.close());
}

test('a TCP proxy passes bytes on, refuses connections while it is told to, and takes them again', async () => {
  const proxy = await startTcp(await echo());
  const before = await open(proxy.address);
  expect(await answered(before, 'order')).toBe('order');
  const closed = once(before, 'close');
  await proxy.refuse();
  await closed;
  await expect(open(proxy.address)).rejects.toThrow('ECONNREFUSED');
  await proxy.pass();
  expect(await answered(await open(proxy.address), 'order')).toBe('order');
});

test('slow answers are held, and come in order and at once when the proxy is fast again', async () => {
  const proxy = await startTcp(await echo());
  const socket = await open(proxy.address);
  proxy.slow(FOR_EVER_MS);
  const got: string[] = [];
  socket.on('data', (piece) => got.push(String(piece)));
  socket.write('1');
  socket.write('2');
  // The server has got the requests: only answers are slow.
  await vi.waitFor(() => expect(proxy.heldBytes).toBe(2));
  expect(got).toEqual([]);
  await proxy.pass();
  while (got.join('').length < 2) await once(socket, 'data');
  expect(got.join('')).toBe('12');
});

test('slow answers are late, and do come', async () => {
  const proxy = await startTcp(await echo());
  const socket = await open(proxy.address);
  proxy.slow(20);
  expect(await answered(socket, 'order')).toBe('order');
});

test('an HTTP proxy passes requests on, and answers by itself while it is told to', async () => {
  const target = await serve(
    createHttpServer((request, response) => {
      request.pipe(response.writeHead(201, { 'x-path': request.url ?? '' }));
    }),
  );
  const proxy = await startHttp(target);
  const post = async () => {
    const answer = await fetch(`http://${proxy.address}/a/b?c=d`, { method: 'POST', body: 'order' });
    return { status: answer.status, path: answer.headers.get('x-path'), text: await answer.text() };
  };
  const passed = { status: 201, path: '/a/b?c=d', text: 'order' };
  expect(await post()).toEqual(passed);
  proxy.refuse({ status: 403, body: { error: 'denied' }, afterMs: 0 });
  expect(await post()).toEqual({ status: 403, path: null, text: '{"error":"denied"}' });
  expect(proxy.refused).toBe(1);
  proxy.pass();
  expect(await post()).toEqual(passed);
});

test('behind an HTTP proxy a server that is away is a broken connection', async () => {
  const proxy = await startHttp(`127.0.0.1:${await freePort()}`);
  await expect(fetch(`http://${proxy.address}/`)).rejects.toThrow();
});
