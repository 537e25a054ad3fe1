import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { loadMenu } from '../../../store/orders/menu.ts';
import { testMenu } from '../../actors/support.ts';
import { createTestDatabase, type TestDatabase } from '../../support/servers.ts';
import { newOrder } from '../order.ts';
import { type Agent, Restaurant } from '../restaurant.ts';

const soon = { timeout: 40_000 };

let database: TestDatabase;
let restaurant: Restaurant;
beforeAll(async () => {
  database = await createTestDatabase();
  const menu = testMenu();
  for (const store of menu.stores) store.opens = store.closes;
  await loadMenu(database.sql, menu);
});
afterAll(() => database[Symbol.asyncDispose]());
beforeEach(async () => {
  restaurant = await Restaurant.open();
});
afterEach(() => restaurant.close());

const order = (unitPrice = 249, change = {}) =>
  newOrder({ items: [{ sku: 'fries', quantity: 1, unitPrice }], total: unitPrice, ...change });

async function agentWithMenu(more: Record<string, string> = {}): Promise<Agent> {
  restaurant.line.to((await restaurant.gateway('east', { DATABASE_URL: database.urlAs('intake') })).url);
  const agent = await restaurant.agent(more);
  await vi.waitFor(async () => expect(await metric(agent, 'ordermesh_edge_menu_version')).toBeGreaterThan(0), soon);
  return agent;
}

async function metric(agent: Agent, name: string): Promise<number> {
  const text = await (await fetch(`${agent.admin}/metrics`)).text();
  return Number(new RegExp(`^${name}(?:{[^}]*})? (.+)$`, 'm').exec(text)?.[1]);
}

const menuCall = (agent: Agent, path = '', init: RequestInit = {}) =>
  fetch(`${agent.url}/v1/menus/us-il-0001${path}`, {
    ...init,
    headers: { authorization: `Bearer ${restaurant.token}`, 'content-type': 'application/json' },
  });

const setAvailable = (agent: Agent, available: boolean) =>
  menuCall(agent, '/items/fries/availability', { method: 'PUT', body: JSON.stringify({ available }) });

test('the agent refuses at the till what the region would reject, also after a restart without a line', async () => {
  const agent = await agentWithMenu();
  const sold = order();
  expect((await agent.post(sold)).status).toBe(202);
  const refused = await agent.post(order(200));
  expect([refused.status, await refused.json()]).toMatchObject([
    422,
    { code: 'menu-mismatch', errors: [{ pointer: '/items/0/unitPrice', detail: 'fries costs 249, not 200' }] },
  ]);
  expect(await metric(agent, 'ordermesh_edge_menu_refused_orders_total')).toBe(1);

  // Told to the region through the agent, and pushed back to the agent.
  expect(await (await setAvailable(agent, false)).json()).toMatchObject({ sku: 'fries', available: false });
  await vi.waitFor(async () => expect((await agent.post(order())).status).toBe(422), soon);
  expect(await (await menuCall(agent)).json()).toMatchObject({ unavailable: [{ sku: 'fries' }] });

  await restaurant.stop();
  restaurant.line.cut();
  const again = await restaurant.agent();
  expect((await again.post(order())).status).toBe(422);
  // What was accepted stays accepted: the same order again, and one that was placed before.
  expect((await again.post(sold)).status).toBe(202);
  expect((await again.post({ ...order(), placedAt: sold.placedAt })).status).toBe(202);
  expect((await setAvailable(again, true)).status).toBe(503);

  restaurant.line.to((await restaurant.gateway('east', { DATABASE_URL: database.urlAs('intake') })).url);
  restaurant.line.restore();
  await vi.waitFor(async () => expect((await setAvailable(again, true)).status).toBe(200), soon);
  await vi.waitFor(async () => expect((await again.post(order())).status).toBe(202), soon);
});

test('an order that was accepted is accepted again, although it does not fit the menu that came later', async () => {
  const agent = await restaurant.agent({ ORDERMESH_RECENT_ORDERS_MAX: '2' });
  const odd = order(1);
  expect((await agent.post(odd)).status).toBe(202);
  expect(await (await fetch(`${agent.admin}/readyz`)).text()).toMatch(/menu: none yet/);
  restaurant.line.to((await restaurant.gateway('east', { DATABASE_URL: database.urlAs('intake') })).url);
  await vi.waitFor(async () => expect((await agent.post(order(1))).status).toBe(422), soon);
  // More orders than the agent remembers: the repeated one is looked up in the spool.
  await agent.accept([order(), order(), order(), order()]);
  expect((await agent.post(odd)).status).toBe(202);
});

test('with the check off, orders are taken as before', async () => {
  const agent = await agentWithMenu({ ORDERMESH_EDGE_MENU_CHECK: 'off' });
  expect((await agent.post(order(200))).status).toBe(202);
});
