import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startWorker, workerRoles } from '../../actors/roles.ts';
import { type ConnectedConfig, loadConfig } from '../../contracts/config/config.ts';
import { startDisplay } from '../../display/server.ts';
import { startGateway } from '../../gateway/gateway.ts';
import { applyTopics, createAdmin } from '../../kafka/index.ts';
import { loadMenu } from '../../store/orders/menu.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { TestScreen } from '../display/test-screen.ts';
import { startOwnBroker } from '../support/own-broker.ts';
import { createTestDatabase } from '../support/servers.ts';
import { type Sample, sampleMenu, samples } from './samples.ts';

const patiently = { timeout: 150_000, interval: 200 };
const logger = createLogger('test', process.env.TEST_LOG ?? 'silent');
const stack = new AsyncDisposableStack();
let gatewayUrl: string;
let displayUrl: string;

beforeAll(async () => {
  const broker = stack.use(await startOwnBroker());
  const database = stack.use(await createTestDatabase());
  const config = loadConfig({
    ...broker.environment,
    DATABASE_URL: database.url,
    ORDERMESH_PAYMENT_LATENCY_MEAN: '2ms',
    ORDERMESH_PAYMENT_DECLINE_RATE: '0',
    ORDERMESH_PARTITIONS: '2',
    ORDERMESH_ADMIN_PORT: '0',
    ORDERMESH_GATEWAY_PORT: '0',
    ORDERMESH_GRPC_PORT: '0',
    ORDERMESH_DISPLAY_PORT: '0',
    ORDERMESH_AUTH: 'off',
    ORDERMESH_SLOTS: '1',
    ORDERMESH_LOG_LEVEL: 'silent',
  }) as ConnectedConfig;
  const admin = await createAdmin({ clientId: 'test', cluster: broker.cluster });
  await applyTopics(admin, config).finally(() => admin.close());
  await loadMenu(database.sql, sampleMenu());
  const roles = await Promise.all([
    startGateway(config, logger),
    startDisplay(config, logger),
    ...workerRoles.map((role) => startWorker(role, config, logger)),
  ]);
  for (const role of roles) stack.defer(() => role.close());
  gatewayUrl = roles[0]?.addresses.gateway ?? '';
  displayUrl = roles[1]?.addresses.display ?? '';
}, 400_000);
afterAll(() => stack.disposeAsync(), 60_000);

test.each(samples)(
  'the order of $platform is validated, paid and on the ticket',
  async ({ order, till, platform }) => {
    await using screen = await TestScreen.open(displayUrl, till.storeId);
    const answer = await fetch(new URL('/v1/orders', gatewayUrl), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(order),
    });
    expect(await answer.json()).toEqual({ orderId: order.orderId, status: 'accepted' });
    await vi.waitFor(async () => {
      const { status, history } = await statusOf(order.orderId);
      expect({ status, history }).toMatchObject({ status: 'paid' });
      expect(history.map((step) => step.status)).toEqual(['accepted', 'validated', 'paid']);
    }, patiently);
    const ticket = await screen.ticket(order.orderId);
    expect(ticket).toMatchObject({
      number: order.number,
      guest: order.guest?.name,
      fulfilment: order.fulfilment?.type,
      promisedAt: Date.parse(order.fulfilment?.promisedAt ?? ''),
    });
    expect(ticket.table).toBe(order.fulfilment?.table);
    expect(ticket.lines.map(({ note, allergies, quantity }) => ({ note, allergies, quantity }))).toEqual(
      order.items.map(({ note, allergies, quantity }) => ({ note, allergies, quantity })),
    );
    expect(ticket.lines.map(wordsOf)).toEqual(expected[platform]);
  },
  180_000,
);

/** The lines as a crew reads them, by the names of the menu. */
const expected: Readonly<Record<Sample['platform'], string[]>> = {
  square: ['Double burger, Regular + Bacon - No onion', 'Chips, Large'],
  toast: ['Caesar salad + Grilled chicken + Cajun rub - No croutons', 'Lobster roll'],
  deliverect: [
    'Burger menu (Cheeseburger + Extra cheese - No onion) (Sweet potato fries + Mayonnaise)',
    'Soup of the day + Bread + Gluten-free',
  ],
  'uber-eats': ['Poke bowl + Salmon + Ponzu', 'Family box (Veggie roll + Brown rice)'],
};

type Line = Awaited<ReturnType<TestScreen['ticket']>>['lines'][number];

function wordsOf({ name, modifiers, parts = [] }: Pick<Line, 'name' | 'modifiers' | 'parts'>): string {
  const changes = modifiers.map((modifier) => `${modifier.kind === 'add' ? '+' : '-'} ${modifier.name}`);
  return [name, ...changes, ...parts.map((part) => `(${wordsOf(part)})`)].join(' ');
}

async function statusOf(orderId: string): Promise<{ status: string; history: { status: string; detail?: string }[] }> {
  const answer = await fetch(new URL(`/v1/orders/${orderId}`, gatewayUrl));
  return (await answer.json()) as never;
}
