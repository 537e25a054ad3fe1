import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { createTraffic } from '../../../lab/traffic/generator.ts';
import { runOpenLoop } from '../../../lab/traffic/open-loop.ts';
import { createSender, type SendResult } from '../../../lab/traffic/sender.ts';

interface Call {
  body: string;
  authorization: string | undefined;
  at: number;
}

/** A real HTTP server that answers as the test says; `call` counts from 0. */
async function gateway(answer: (call: number, response: ServerResponse, request: IncomingMessage) => void) {
  const calls: Call[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    calls.push({ body, authorization: request.headers.authorization, at: performance.now() });
    answer(calls.length - 1, response, request);
  });
  let connections = 0;
  server.on('connection', () => connections++);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    calls,
    connections: () => connections,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function accept(response: ServerResponse, orderId = 'id-1'): void {
  response.writeHead(202, { 'content-type': 'application/json' }).end(JSON.stringify({ orderId, status: 'accepted' }));
}

const order = { body: '{"orderId":"mine"}', storeId: 'us-il-0001', orderId: 'mine' };

test('an accepted order is reported with the id that the gateway answered and sent with the token of its store', async () => {
  await using server = await gateway((_, response) => accept(response, 'theirs'));
  const results: SendResult[] = [];
  const sender = createSender({
    gateway: server.url,
    token: (storeId) => `token-of-${storeId}`,
    onResult: (result) => results.push(result),
  });
  await sender.submit(order);
  await sender.settle();
  sender.close();
  expect(server.calls[0]).toMatchObject({ body: order.body, authorization: 'Bearer token-of-us-il-0001' });
  expect(results).toMatchObject([{ status: 202, orderId: 'theirs', attempts: 1 }]);
  expect(sender.report()).toMatchObject({ sent: 1, accepted: 1, retried: 0 });
});

test('429 and 503 are tried again with the same bytes, not before Retry-After', async () => {
  await using server = await gateway((call, response) => {
    if (call === 0) response.writeHead(503, { 'retry-after': '1' }).end();
    else if (call === 1) response.writeHead(429, { 'retry-after': '0' }).end();
    else accept(response);
  });
  const sender = createSender({ gateway: server.url, token: () => undefined });
  await sender.submit(order);
  await sender.settle();
  sender.close();
  expect(server.calls.map(({ body }) => body)).toEqual([order.body, order.body, order.body]);
  expect((server.calls[1]?.at ?? 0) - (server.calls[0]?.at ?? 0)).toBeGreaterThanOrEqual(1_000);
  expect(sender.report()).toMatchObject({ sent: 1, accepted: 1, retried: 2 });
});

test('a connection that breaks is tried again', async () => {
  await using server = await gateway((call, response, request) => {
    if (call === 0) request.socket.destroy();
    else accept(response);
  });
  const sender = createSender({ gateway: server.url, token: () => undefined });
  await sender.submit(order);
  await sender.settle();
  sender.close();
  expect(sender.report()).toMatchObject({ accepted: 1, retried: 1, unanswered: 0 });
});

test('a refusal is final', async () => {
  await using server = await gateway((_, response) => response.writeHead(422).end('{"code":"invalid-order"}'));
  const results: SendResult[] = [];
  const sender = createSender({
    gateway: server.url,
    token: () => undefined,
    onResult: (result) => results.push(result),
  });
  await sender.submit(order);
  await sender.settle();
  sender.close();
  expect(server.calls).toHaveLength(1);
  expect(results).toMatchObject([{ status: 422, orderId: 'mine', detail: '{"code":"invalid-order"}' }]);
  expect(sender.report()).toMatchObject({ accepted: 0, refused: { 422: 1 } });
});

test('orders in flight are bounded: the next order waits for room', async () => {
  const held: ServerResponse[] = [];
  await using server = await gateway((_, response) => held.push(response));
  const sender = createSender({ gateway: server.url, token: () => undefined, unansweredMax: 2 });
  await sender.submit(order);
  await sender.submit(order);
  let third = false;
  const submitted = sender.submit(order).then(() => {
    third = true;
  });
  await expect.poll(() => held.length).toBe(2);
  expect(third).toBe(false);
  for (const response of held.splice(0)) accept(response);
  await submitted;
  await expect.poll(() => held.length).toBe(1);
  for (const response of held) accept(response);
  await sender.settle();
  sender.close();
  expect(sender.report().accepted).toBe(3);
});

test('a token that cannot be had is an error of the sender, not of an order', async () => {
  await using server = await gateway((_, response) => accept(response));
  const sender = createSender({ gateway: server.url, token: () => Promise.reject(new Error('no key')) });
  await sender.submit(order);
  await expect(sender.settle()).rejects.toThrow('no key');
  sender.close();
});

test('the open loop sends as many orders as it was asked to, over kept connections', async () => {
  await using server = await gateway((_, response) => accept(response));
  const sender = createSender({ gateway: server.url, token: () => undefined, connections: 4 });
  const sent = await runOpenLoop({
    traffic: createTraffic({ seed: 1 }),
    sender,
    ratePerSecond: 2_000,
    count: 300,
    signal: new AbortController().signal,
  });
  await sender.settle();
  sender.close();
  expect(sent).toBe(300);
  expect(server.calls).toHaveLength(300);
  expect(server.connections()).toBeLessThanOrEqual(4);
  expect(new Set(server.calls.map(({ body }) => body)).size).toBe(300);
});

test('with two addresses an order that gets no answer at the first goes to the second, and so do the next ones', async () => {
  await using broken = await gateway((_, response) => response.destroy());
  await using working = await gateway((_, response) => accept(response));
  const sender = createSender({ gateway: [broken.url, working.url], token: () => undefined });
  await sender.submit(order);
  await sender.settle();
  await sender.submit(order);
  await sender.settle();
  sender.close();
  expect(sender.report()).toMatchObject({ accepted: 2, retried: 1 });
  expect(broken.calls).toHaveLength(1);
  expect(working.calls).toHaveLength(2);
});
