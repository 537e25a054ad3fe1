import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { TestKitchen } from '../display/test-kitchen.ts';
import { TestScreen } from '../display/test-screen.ts';
import { Line } from './line.ts';
import { newOrder, storeId } from './order.ts';
import { type Agent, Restaurant } from './restaurant.ts';

let restaurant: Restaurant;
let region: TestKitchen;
/** The second line: to the region's display. */
let sight: Line;
const soon = { timeout: 20_000 };

beforeEach(async () => {
  restaurant = await Restaurant.open();
  region = await TestKitchen.start();
  sight = (await Line.open()).to(region.url);
});
afterEach(async () => {
  await restaurant.close();
  await sight.close();
  await region[Symbol.asyncDispose]();
});

const agentWithKitchen = (): Promise<Agent> =>
  restaurant.agent({
    ORDERMESH_DISPLAY_PORT: '0',
    ORDERMESH_EDGE_KITCHEN: 'cash',
    ORDERMESH_EDGE_KITCHEN_AFTER: '200ms',
    ORDERMESH_EDGE_KITCHEN_UPSTREAM: sight.url,
  });
const screenOf = (agent: Agent) => TestScreen.open(new URL(agent.role.addresses['edge kitchen'] ?? '').origin, storeId);

function cutBoth(): void {
  restaurant.line.cut();
  sight.cut();
}

function restoreBoth(): void {
  restaurant.line.restore();
  sight.restore();
}

test('shows the tickets of the region, and tells it what the crew does', async () => {
  restaurant.line.to((await restaurant.gateway('east')).url);
  const agent = await agentWithKitchen();
  await using screen = await screenOf(agent);
  const order = newOrder();
  await region.pay(order);
  expect(await screen.ticket(order.orderId)).toMatchObject({ state: 'open', lines: [{ name: 'Cheeseburger' }] });
  expect(await screen.command('bump', order.orderId, 1)).toEqual({ type: 'done' });
  await screen.ticket(order.orderId, ({ state }) => state === 'cooked');
  await vi.waitFor(
    async () => expect(await region.events(order.orderId)).toMatchObject([{ type: 'order.cooked' }]),
    soon,
  );
});

test('shows cash orders while the line is down, also after a restart, and each of them once when the line is back', async () => {
  restaurant.line.to((await restaurant.gateway('east')).url);
  const first = await agentWithKitchen();
  const known = newOrder();
  await region.pay(known);
  await (await screenOf(first)).ticket(known.orderId);

  cutBoth();
  const [cooked, open, card] = [newOrder(), newOrder(), newOrder({ payment: { method: 'card', token: 'tok_visa' } })];
  await first.accept([card, cooked, open]);
  const before = await screenOf(first);
  await before.ticket(open.orderId, ({ confirmation }) => confirmation === 'waiting');
  await before.ticket(cooked.orderId, ({ confirmation }) => confirmation === 'waiting');
  expect(before.tickets.has(card.orderId)).toBe(false);
  expect(await before.command('bump', cooked.orderId, 1)).toEqual({ type: 'done' });
  expect(await before.command('bump', known.orderId, 1)).toEqual({ type: 'done' });
  expect(await before.command('recall', card.orderId, 1)).toMatchObject({ type: 'error' });
  await first.role.close();

  const second = await agentWithKitchen();
  await using after = await screenOf(second);
  await after.ticket(open.orderId, ({ confirmation }) => confirmation === 'waiting');
  expect([...after.tickets.keys()]).toEqual([open.orderId]);

  restoreBoth();
  await vi.waitFor(async () => expect((await second.status()).spool).toMatchObject({ unsent: 0, confirmed: 3 }), soon);
  await region.pay(cooked, open, card);
  const confirmed = await after.ticket(open.orderId, ({ confirmation }) => confirmation === undefined);
  expect(confirmed).toMatchObject({ state: 'open', lines: [{ name: 'Cheeseburger' }] });
  await after.ticket(card.orderId);
  for (const orderId of [cooked.orderId, known.orderId])
    await vi.waitFor(async () => expect(await region.events(orderId)).toMatchObject([{ type: 'order.cooked' }]), soon);
  const views = after.messages.flatMap((message) => (message.type === 'tickets' ? message.tickets : []));
  expect(views.filter(({ orderId, state }) => orderId === cooked.orderId && state !== 'cooked')).toEqual([]);
});

test('bounds the commands of one screen that wait for an answer', async () => {
  restaurant.line.to((await restaurant.gateway('east')).url);
  const agent = await agentWithKitchen();
  await using screen = await screenOf(agent);
  const order = newOrder();
  await region.pay(order);
  await screen.ticket(order.orderId);
  // The region's answers come late, so all of these wait at the same time.
  sight.delay(3_000);
  const answers = await Promise.all(Array.from({ length: 40 }, () => screen.command('recall', order.orderId, 1)));
  const codes = answers.map((answer) => (answer.type === 'error' ? answer.problem.code : 'done'));
  expect(codes.filter((code) => code === 'rate-limited')).toHaveLength(8);
});
