import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { loadConfig } from '../../contracts/config/config.ts';
import { topics } from '../../contracts/topics.ts';
import { issueToken } from '../../gateway/identity/issuer.ts';
import { createProducer } from '../../kafka/index.ts';
import { watchRawOrders } from '../gateway/support.ts';
import { ordermesh } from '../support/ordermesh.ts';
import { servers } from '../support/servers.ts';
import { newOrder, storeId } from './order.ts';
import { type Agent, postOrder, Restaurant } from './restaurant.ts';

let restaurant: Restaurant;
let raw: Awaited<ReturnType<typeof watchRawOrders>>;
const soon = { timeout: 20_000 };

const arrived = (orderIds: readonly string[], times = 1) =>
  vi.waitFor(() => {
    for (const orderId of orderIds) expect(raw.records.get(orderId)?.length ?? 0).toBeGreaterThanOrEqual(times);
  }, soon);

beforeEach(async () => {
  restaurant = await Restaurant.open();
  raw = await watchRawOrders();
});
afterEach(async () => {
  await restaurant.close();
  await raw[Symbol.asyncDispose]();
});

describe('the line', () => {
  test('sells while it is down, and the region has every order once when it is back', async () => {
    const agent = await restaurant.agent();
    const orderIds = await agent.accept(Array.from({ length: 30 }, () => newOrder()));
    await vi.waitFor(async () => expect((await agent.status()).line?.state).toBe('down'), soon);
    expect(await agent.statusOf(orderIds[0] ?? '')).toMatchObject({ status: 200, body: { status: 'accepted' } });

    restaurant.line.to((await restaurant.gateway('east')).url);
    await arrived(orderIds);
    await vi.waitFor(
      async () => expect((await agent.status()).spool).toMatchObject({ unsent: 0, confirmed: 30, region: 'east' }),
      soon,
    );
    for (const orderId of orderIds) expect(raw.records.get(orderId)).toHaveLength(1);
  });

  test('loses nothing while it flaps under load', async () => {
    const gateway = await restaurant.gateway('east');
    restaurant.line.to(gateway.url);
    const agent = await restaurant.agent();
    let flapping = true;
    const accepted: string[] = [];
    const selling = (async () => {
      while (flapping) accepted.push(...(await agent.accept([newOrder()])));
    })();
    for (let flap = 0; flap < 8; flap++) {
      restaurant.line.cut();
      await vi.waitFor(async () => expect((await agent.status()).line?.state).toBe('down'), soon);
      restaurant.line.restore();
      await vi.waitFor(async () => expect((await agent.status()).line?.state).toBe('up'), soon);
    }
    flapping = false;
    await selling;
    await arrived(accepted);
    await vi.waitFor(async () => expect((await agent.status()).spool.unsent).toBe(0), soon);
  });

  test('does not mistake a captive portal for the region, whatever it answers', async () => {
    const portal = await answering((_, answer) => answer.writeHead(207).end('{"results":[{"index":0,"status":202}]}'));
    restaurant.line.to(portal.url);
    const agent = await restaurant.agent();
    const orderIds = await agent.accept([newOrder()]);
    await vi.waitFor(async () => expect((await agent.status()).line?.reason).toContain('207'), soon);
    expect((await agent.status()).spool).toMatchObject({ unsent: 1, confirmed: 0 });
    restaurant.line.to((await restaurant.gateway('east')).url);
    await arrived(orderIds);
    portal.server.close();
  });

  test('keeps its orders while the region is passive, and follows when the name points to another region', async () => {
    const fenced = await answering((_, answer) =>
      answer
        .writeHead(503, { 'content-type': 'application/problem+json', 'x-ordermesh-region': 'east' })
        .end(JSON.stringify({ code: 'region-passive', detail: 'orders go to region west', status: 503 })),
    );
    restaurant.line.to(fenced.url);
    const agent = await restaurant.agent();
    const orderIds = await agent.accept([newOrder()]);
    await vi.waitFor(async () => expect((await agent.status()).line?.reason).toContain('region west'), soon);
    restaurant.line.to((await restaurant.gateway('west')).url);
    await arrived(orderIds);
    fenced.server.close();
  });

  test('holds back only the order that does not get through', async () => {
    restaurant.line.to((await restaurant.gateway('east')).url);
    restaurant.line.dropWhatSays('unspeakable');
    const agent = await restaurant.agent({ ORDERMESH_EDGE_GZIP: 'off' });
    const marked = newOrder({ items: [{ sku: 'cheeseburger', quantity: 1, unitPrice: 599, note: 'unspeakable' }] });
    const others = [...Array.from({ length: 20 }, () => newOrder())];
    restaurant.line.cut();
    await agent.accept([...others.slice(0, 10), marked, ...others.slice(10)]);
    restaurant.line.restore();
    await arrived(others.map(({ orderId }) => orderId));
    await vi.waitFor(async () => {
      const { heldBack, spool } = await agent.status();
      expect(heldBack.map(({ orderId }) => orderId)).toEqual([marked.orderId]);
      expect(spool.unsent).toBe(1);
    }, soon);
    expect(raw.records.has(marked.orderId)).toBe(false);
  });
});

describe('the region', () => {
  test('gets the orders again that another region has confirmed, also while no new order comes', async () => {
    const east = await restaurant.gateway('east');
    restaurant.line.to(east.url);
    const agent = await restaurant.agent();
    const orderIds = await agent.accept([newOrder(), newOrder(), newOrder()]);
    await vi.waitFor(async () => expect((await agent.status()).spool.confirmed).toBe(3), soon);
    const west = await restaurant.gateway('west');
    restaurant.line.to(west.url);
    await arrived(orderIds, 2);
    await vi.waitFor(
      async () => expect((await agent.status()).spool).toMatchObject({ replaying: 0, region: 'west' }),
      soon,
    );
    for (const orderId of orderIds) expect(raw.records.get(orderId)).toHaveLength(2);
  });

  test('refuses an order for good: it is shown, and stops no other', async () => {
    const east = await restaurant.gateway('east');
    const first = newOrder();
    expect((await postOrder(east.url, first, restaurant.token)).status).toBe(202);
    const agent = await restaurant.agent();
    const conflicting = { ...first, total: 600, items: [{ sku: 'cheeseburger', quantity: 1, unitPrice: 600 }] };
    const other = newOrder();
    await agent.accept([conflicting, other]);
    restaurant.line.to(east.url);
    await arrived([other.orderId]);
    await vi.waitFor(
      async () => expect((await agent.status()).spool).toMatchObject({ unsent: 0, refused: 1, confirmed: 1 }),
      soon,
    );
    const { body } = await agent.statusOf(first.orderId);
    expect(body).toMatchObject({
      status: 'rejected',
      history: [{}, { detail: expect.stringContaining('order-conflict') }],
    });
    const page = await (await fetch(agent.admin)).text();
    expect(page).toContain('The region refuses 1 order:');
    expect(await (await fetch(`${agent.admin}/metrics`)).text()).toMatch(
      /ordermesh_edge_refused_orders{role="edge"} 1/,
    );
  });
});

describe('the ingress', () => {
  test('knows an order after a restart, and refuses other content with the same orderId', async () => {
    const order = newOrder();
    const first = await restaurant.agent();
    await first.accept([order]);
    await first.role.close();
    const second = await restaurant.agent();
    expect((await second.post(order)).status).toBe(202);
    const other = await second.post({ ...order, channel: 'kiosk' });
    expect(other.status).toBe(409);
    expect((await second.status()).spool.unsent).toBe(1);
  });

  test('refuses at the bound with 503 and is not ready, until the region has taken some', async () => {
    const agent = await restaurant.agent({ ORDERMESH_EDGE_UNSENT_ORDERS_MAX: '2' });
    await agent.accept([newOrder(), newOrder()]);
    const refused = await agent.post(newOrder());
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).not.toBeNull();
    expect(await refused.json()).toMatchObject({ code: 'spool-full' });
    await vi.waitFor(async () => expect((await fetch(`${agent.admin}/readyz`)).status).toBe(503), soon);
    restaurant.line.to((await restaurant.gateway('east')).url);
    await vi.waitFor(async () => expect((await fetch(`${agent.admin}/readyz`)).status).toBe(200), soon);
    await agent.accept([newOrder()]);
  });

  test('takes orders over WebSocket too, and passes on their statuses from the region', async () => {
    restaurant.line.to((await restaurant.gateway('east')).url);
    const agent = await restaurant.agent();
    const socket = new WebSocket(`${agent.url.replace('http', 'ws')}/v1/stream`, [
      'ordermesh.v1.json',
      `bearer.${restaurant.token}`,
    ]);
    const messages: unknown[] = [];
    socket.addEventListener('message', ({ data }) => messages.push(JSON.parse(String(data))));
    await once(socket, 'open');
    const order = newOrder();
    socket.send(JSON.stringify({ id: 1, type: 'order.submit', order }));
    const { orderId } = order;
    await vi.waitFor(() => expect(messages).toContainEqual({ id: 1, type: 'order.accepted', orderId }), soon);
    await arrived([orderId]);
    const producer = await createProducer({ clientId: 'test', cluster: servers().cluster, deadlineMs: 20_000 });
    await vi.waitFor(async () => {
      await producer.send([
        {
          topic: topics.rejectedOrders,
          key: orderId,
          value: JSON.stringify({ orderId, storeId }),
          headers: { ce_type: 'order.rejected' },
        },
      ]);
      expect(messages).toContainEqual({ type: 'order.status', orderId, status: 'rejected' });
    }, soon);
    await producer.close();
    socket.close();
  });

  test('takes orders of its own store only', async () => {
    const agent = await restaurant.agent({ ORDERMESH_AUTH: 'off' });
    expect((await agent.post(newOrder({ storeId: 'us-il-0002' }))).status).toBe(403);
    expect((await agent.post(newOrder({ storeId }))).status).toBe(202);
  });
});

describe('a start', () => {
  test.each([
    ['ORDERMESH_EDGE_UPSTREAM', ''],
    ['ORDERMESH_EDGE_UPSTREAM', 'http://region.example.com/v1'],
    ['ORDERMESH_EDGE_TOKEN_FILE', '/nowhere/token'],
    ['ORDERMESH_EDGE_SPOOL', '/nowhere/spool.db'],
    ['ORDERMESH_EDGE_SPOOL_BYTES_MAX', '10KiB'],
  ])('refuses %s=%s and leaves the spool untouched', async (name, value) => {
    await expect(restaurant.agent({ [name]: value })).rejects.toThrow(name);
    expect(existsSync(join(restaurant.directory, 'edge'))).toBe(false);
  });

  test('refuses a second agent on the same spool', async () => {
    await restaurant.agent();
    for (const suffix of ['', '-wal']) {
      const { mode } = statSync(join(restaurant.directory, `edge/spool.db${suffix}`));
      expect(mode & 0o777).toBe(0o600);
    }
    await expect(restaurant.agent()).rejects.toThrow('another edge agent');
  });
});

async function answering(answer: Parameters<typeof createServer>[1]): Promise<{ url: string; server: Server }> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

describe('a token that the region refuses', () => {
  const tokenFor = (store: string, expiresIn = 3_600) =>
    issueToken({ config: loadConfig({ ORDERMESH_DATA_DIR: restaurant.directory }), store, expiresIn });
  const setToken = async (token: string) => {
    await writeFile(join(restaurant.directory, 'next'), token);
    await rename(join(restaurant.directory, 'next'), join(restaurant.directory, 'token'));
  };
  const status = (agent: Agent) =>
    ordermesh(['edge', 'status'], { ...restaurant.environment(), ORDERMESH_ADMIN_PORT: new URL(agent.admin).port });

  test('holds the line back and says so, also while nothing is to be sent, and no order is lost', async () => {
    await setToken(await tokenFor(storeId, -60));
    restaurant.line.to((await restaurant.gateway('east')).url);
    const agent = await restaurant.agent();
    const refused = async () => expect((await agent.status()).line?.state).toBe('token-refused');
    await vi.waitFor(refused, soon);
    const orderIds = await agent.accept([newOrder(), newOrder()]);
    await vi.waitFor(async () => expect((await agent.status()).spool.unsent).toBe(2), soon);
    await refused();
    const { code, stdout } = await status(agent);
    expect(stdout).toMatch(/^token refused \(expired at \d{4}-.*Z\): 2 orders wait safely here/);
    expect(stdout).toMatch(/^Line +token refused \(expired at /m);
    expect(code).toBe(1);
    const ready = await fetch(`${agent.admin}/readyz`);
    expect([ready.status, await ready.text()]).toEqual([200, expect.stringContaining('agent: token refused (expired')]);
    expect(await (await fetch(agent.admin)).text()).toContain('token refused (expired');
    const metrics = await (await fetch(`${agent.admin}/metrics`)).text();
    expect(metrics).toMatch(/^ordermesh_edge_token_refused{.*} 1$/m);

    await setToken(restaurant.token);
    await arrived(orderIds);
    await vi.waitFor(async () => expect((await agent.status()).line?.state).toBe('up'), soon);
    expect((await status(agent)).code).toBe(0);
  });

  test('of another store: accepted orders wait until the right token is back', async () => {
    const agent = await restaurant.agent();
    const orderIds = await agent.accept([newOrder(), newOrder()]);
    await setToken(await tokenFor('us-il-0002'));
    restaurant.line.to((await restaurant.gateway('east')).url);
    await vi.waitFor(async () => expect((await agent.status()).line?.state).toBe('token-refused'), soon);
    expect((await agent.status()).spool).toMatchObject({ unsent: 2, refused: 0 });
    expect((await status(agent)).stdout).toMatch(/^token refused \(forbidden: /);
    await setToken(restaurant.token);
    await arrived(orderIds);
    await vi.waitFor(async () => expect((await agent.status()).spool).toMatchObject({ unsent: 0, refused: 0 }), soon);
  });
});
