import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { Order } from '../../../contracts/order/order.ts';
import { startSteeredLoad } from '../../../perf/pipeline/steered-load.ts';

test('sends no more than it may, each order once, and goes on after its connections were closed', async () => {
  const orders: Order[] = [];
  const gateway = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    orders.push(JSON.parse(body) as Order);
    response.writeHead(202, { 'content-type': 'application/json' }).end('{"status":"accepted"}');
  });
  await new Promise<void>((resolve) => gateway.listen(0, '127.0.0.1', resolve));
  const directory = await mkdtemp(path.join(tmpdir(), 'ordermesh-steered-'));
  try {
    const { port } = gateway.address() as AddressInfo;
    const load = await startSteeredLoad({
      gateway: new URL(`http://127.0.0.1:${port}`),
      token: async (storeId) => `token-of-${storeId}`,
      directory,
      seed: 1,
    });
    load.allow(300);
    await expect.poll(() => orders.length, { timeout: 30_000 }).toBe(300);
    gateway.closeAllConnections();
    load.allow(900);
    await expect.poll(() => new Set(orders.map(({ orderId }) => orderId)).size, { timeout: 30_000 }).toBe(900);
    const accepted = await load.finish();
    expect(accepted.length).toBe(900);
    expect(new Set(accepted)).toEqual(new Set(orders.map(({ orderId }) => orderId)));
    expect(new Set(orders.map(({ customerId }) => customerId)).size).toBe(900);
  } finally {
    gateway.closeAllConnections();
    gateway.close();
    await rm(directory, { recursive: true });
  }
});
