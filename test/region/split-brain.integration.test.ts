import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startWorker, workerRoles } from '../../actors/roles.ts';
import type { Config } from '../../contracts/config/config.ts';
import type { RunningRole } from '../../contracts/roles.ts';
import { topics } from '../../contracts/topics.ts';
import { startDisplay } from '../../display/index.ts';
import { startGateway } from '../../gateway/gateway.ts';
import { type ReadRecord, readTopic } from '../../kafka/index.ts';
import { startCrew } from '../../lab/crew.ts';
import { createRandom } from '../../lab/traffic/random.ts';
import { inActiveRegion } from '../../region/active-role.ts';
import { writeRegionState } from '../../region/region-state.ts';
import { choosePorts } from '../../stack/ports.ts';
import { loadMenu } from '../../store/orders/menu.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { testMenu, testOrder } from '../actors/support.ts';
import { createTestDatabase, type TestDatabase } from '../support/servers.ts';
import { startToggledProxy, type ToggledProxy } from '../support/toggled-proxy.ts';
import { type Name, startTwoClusters, type TwoClusters } from './clusters.ts';

const names = ['east', 'west'] as const;
const patiently = { timeout: 60_000, interval: 200 };
const logger = createLogger('test', process.env.TEST_LOG ?? 'silent');
const stack = new AsyncDisposableStack();
let clusters: TwoClusters;
let ledger: TestDatabase;
let lines: Record<Name, ToggledProxy>;
let gateways: Record<Name, string>;
let displays: Record<Name, URL>;

/** Each region with all its roles and a database of its own; the payment provider stands outside of both. Neither reaches the other. */
beforeAll(async () => {
  clusters = stack.use(await startTwoClusters());
  ledger = stack.use(await createTestDatabase());
  const ports = await choosePorts(['east', 'west'], {});
  const proxies = await Promise.all(names.map((name) => startToggledProxy(clusters.kafka[name].brokers[0] ?? '')));
  lines = { east: proxies[0] as ToggledProxy, west: proxies[1] as ToggledProxy };
  for (const line of proxies) {
    stack.defer(() => line.close());
    line.interrupt();
  }
  displays = { east: new URL(`http://127.0.0.1:${ports.east}`), west: new URL(`http://127.0.0.1:${ports.west}`) };
  gateways = { east: '', west: '' };
  for (const [name, epoch] of [
    ['east', 1],
    ['west', 2],
  ] as const) {
    await writeRegionState(clusters.kafka[name], {
      epoch,
      active: name,
      source: name,
      tenure: epoch,
      since: new Date().toISOString(),
    });
    const database = stack.use(await createTestDatabase());
    await loadMenu(database.sql, testMenu());
    const config = clusters.config(name, {
      ORDERMESH_PEER_BROKERS: lines[name === 'east' ? 'west' : 'east'].address,
      DATABASE_URL: database.url,
      ORDERMESH_PAYMENT_LEDGER_URL: ledger.url,
      ORDERMESH_DISPLAY_PORT: String(ports[name]),
    });
    const started = await Promise.all<RunningRole>([
      startGateway(config, logger),
      inActiveRegion('display', (own: Config, log) => startDisplay(own, log))(config, logger),
      ...workerRoles.map((role) => inActiveRegion(role, (own, log) => startWorker(role, own, log))(config, logger)),
    ]);
    for (const role of started) stack.defer(() => role.close());
    gateways[name] = started[0]?.addresses.gateway ?? '';
  }
}, 180_000);
afterAll(() => stack.disposeAsync());

test('an order that both of two active regions take is charged once and cooked once', async () => {
  const order = testOrder();
  // As an edge agent does that saw the region change: the same order to both.
  for (const name of names) {
    await vi.waitFor(async () => expect(await submit(name, order)).toMatchObject({ status: 202 }), patiently);
  }
  const paid = async (name: Name) => (await eventsOf(name, order.orderId)).filter(({ type }) => type === 'order.paid');
  for (const name of names) await vi.waitFor(async () => expect(await paid(name)).toHaveLength(1), patiently);

  const charges = () => ledger.sql`
    select attempts, status from simulated_provider.charges where idempotency_key = ${order.orderId}`;
  expect(await charges()).toEqual([{ attempts: 2, status: 'approved' }]);
  const [inEast, inWest] = await Promise.all(names.map(paid));
  // One charge has one reference, in whichever region it was requested.
  expect(inEast?.[0]?.value.payment).toEqual(inWest?.[0]?.value.payment);

  // A store's screen is where the mesh's name leads: in the west. Then the line is mended.
  const crew = startCrew({ display: displays.west, cookingMs: [0, 1], random: createRandom(1), refreshMs: 200 });
  stack.defer(() => crew.close());
  const cooked = async () =>
    (await Promise.all(names.map((name) => eventsOf(name, order.orderId))))
      .flat()
      .filter(({ type }) => type === 'order.cooked');
  await vi.waitFor(async () => expect(await cooked()).toHaveLength(1), patiently);
  for (const name of names) lines[name].resume();
  await vi.waitFor(async () => {
    expect(await submit('east', testOrder())).toMatchObject({ status: 503, code: 'region-passive' });
    // The order cannot be cooked a second time: the screens of the older epoch are closed.
    await expect(fetch(displays.east)).rejects.toThrow('fetch failed');
  }, patiently);
  expect(await submit('west', order)).toMatchObject({ status: 202 });
  expect(await cooked()).toHaveLength(1);
  expect(await charges()).toEqual([{ attempts: 2, status: 'approved' }]);
}, 180_000);

async function submit(region: Name, order: unknown): Promise<{ status: number; code?: string }> {
  const response = await fetch(`${gateways[region]}/v1/orders`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(order),
  });
  const { code } = (await response.json()) as { code?: string };
  return { status: response.status, ...(code === undefined ? {} : { code }) };
}

interface SeenEvent {
  type: string | undefined;
  value: { payment?: unknown };
}

async function eventsOf(region: Name, orderId: string): Promise<SeenEvent[]> {
  const events: SeenEvent[] = [];
  const source = { cluster: clusters.kafka[region], topic: topics.validatedOrders };
  await readTopic(source, ({ key, headers, value }: ReadRecord) => {
    if (String(key) !== orderId) return;
    events.push({ type: headers.ce_type?.toString(), value: JSON.parse(String(value)) as SeenEvent['value'] });
  });
  return events;
}
