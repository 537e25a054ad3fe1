import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { uniqueName } from '../support/servers.ts';
import { startToggledProxy } from '../support/toggled-proxy.ts';
import { STORE, TestKitchen, testOrder } from './test-kitchen.ts';
import { openDeafScreen, TestScreen } from './test-screen.ts';

const waiting = { timeout: 20_000, interval: 25 };
let kitchen: TestKitchen;

beforeAll(async () => {
  kitchen = await TestKitchen.start();
});
afterAll(() => kitchen?.[Symbol.asyncDispose]());

describe('kitchen display', () => {
  test('shows a ticket after payment, with names from the menu, and not after validation', async () => {
    await using screen = await TestScreen.open(kitchen.url, STORE);
    const [unpaid, paid] = [testOrder(), testOrder()];
    await kitchen.validate(unpaid);
    await kitchen.pay(paid);
    const ticket = await screen.ticket(paid.orderId);
    expect(ticket).toMatchObject({ storeId: STORE, channel: 'drive-thru', state: 'open', round: 1 });
    expect(ticket.since).toBe(Date.parse(paid.placedAt));
    expect(ticket.lines).toEqual([
      {
        name: 'Double cheeseburger',
        quantity: 2,
        modifiers: [
          { name: 'Bacon', quantity: 1, kind: 'add' },
          { name: 'No onion', quantity: 1, kind: 'remove' },
        ],
        note: 'cut in half',
      },
    ]);
    // Both events take the same path, and the later event has arrived.
    expect(screen.tickets.has(unpaid.orderId)).toBe(false);
  });

  test('gives each screen a snapshot, its own store and its name only', async () => {
    const [here, elsewhere] = [testOrder(), testOrder({ storeId: 'us-il-0002' })];
    await kitchen.pay(here, elsewhere);
    await using chain = await TestScreen.open(kitchen.url);
    await chain.ticket(here.orderId);
    await chain.ticket(elsewhere.orderId);
    await using store = await TestScreen.open(kitchen.url, STORE);
    await store.ticket(here.orderId);
    expect(store.tickets.has(elsewhere.orderId)).toBe(false);
    const snapshot = store.messages.find((message) => message.type === 'snapshot');
    expect(snapshot).toMatchObject({ settings: { dueAfterMs: 180_000, lateAfterMs: 300_000 } });
    expect(snapshot?.storeName).toBeTruthy();
    await vi.waitFor(() => {
      const counts = chain.messages.findLast((message) => message.type === 'counts');
      const tile = counts?.stores.find(({ storeId }) => storeId === 'us-il-0002');
      expect(tile?.open).toBeGreaterThan(0);
    }, waiting);
  });

  test('says that there is no such store, until it is seen', async () => {
    const storeId = `us-zz-${randomUUID().slice(0, 4)}`;
    await using screen = await TestScreen.open(kitchen.url, storeId);
    const snapshots = () => screen.messages.filter((message) => message.type === 'snapshot');
    expect(snapshots()[0]).toMatchObject({ storeUnknown: true, tickets: [], open: 0 });
    await kitchen.pay(testOrder({ storeId }));
    await vi.waitFor(() => expect(screen.tickets.size).toBe(1), waiting);
    screen.sendText(JSON.stringify({ type: 'refresh' }));
    await vi.waitFor(() => expect(snapshots().length).toBeGreaterThan(1), waiting);
    expect(snapshots().at(-1)).not.toHaveProperty('storeUnknown');
    await using known = await TestScreen.open(kitchen.url, 'us-il-0003');
    expect(known.messages.find(({ type }) => type === 'snapshot')).not.toHaveProperty('storeUnknown');
  });

  test.each(['no-such-store', 'US-IL-0001', 'No Store!', 'a', 'x'.repeat(100), '\0', '%zz'])(
    'says that there is no such store as %j, although it is no store id',
    async (storeId) => {
      await using screen = await TestScreen.open(kitchen.url, storeId);
      expect(screen.messages[0]).toMatchObject({ type: 'snapshot', storeUnknown: true, tickets: [] });
      expect(await screen.command('bump', randomUUID(), 1)).toMatchObject({ problem: { code: 'not-found' } });
    },
  );

  test('writes order.cooking and order.cooked with acks, and both screens follow', async () => {
    await using left = await TestScreen.open(kitchen.url, STORE);
    await using right = await TestScreen.open(kitchen.url, STORE);
    const order = testOrder();
    await kitchen.pay(order);
    await left.ticket(order.orderId);
    expect(await left.command('start', order.orderId, 1)).toEqual({ type: 'done' });
    await right.ticket(order.orderId, ({ state }) => state === 'cooking');
    expect(await right.command('bump', order.orderId, 1)).toEqual({ type: 'done' });
    await left.ticket(order.orderId, ({ state }) => state === 'cooked');
    const events = await kitchen.events(order.orderId);
    expect(events.map(({ id }) => id)).toEqual([`${order.orderId}/order.cooking/1`, `${order.orderId}/order.cooked/1`]);
    expect(events[1]).toMatchObject({
      key: order.orderId,
      value: { orderId: order.orderId, storeId: STORE, round: 1, total: order.total, currency: 'USD' },
      headers: {
        ce_specversion: '1.0',
        ce_type: 'order.cooked',
        ce_source: '/ordermesh/display',
        ce_subject: order.orderId,
      },
    });
    expect(events[1]?.headers.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  });

  test('bumps once, however many screens bump', async () => {
    await using left = await TestScreen.open(kitchen.url, STORE);
    await using right = await TestScreen.open(kitchen.url, STORE);
    const order = testOrder();
    await kitchen.pay(order);
    await Promise.all([left.ticket(order.orderId), right.ticket(order.orderId)]);
    const answers = await Promise.all([
      left.command('bump', order.orderId, 1),
      right.command('bump', order.orderId, 1),
    ]);
    expect(answers).toEqual([{ type: 'done' }, { type: 'done' }]);
    await left.ticket(order.orderId, ({ state }) => state === 'cooked');
    const ids = new Set((await kitchen.events(order.orderId)).map(({ id }) => id));
    expect([...ids]).toEqual([`${order.orderId}/order.cooked/1`]);
    // A command whose effect is there already writes no second event.
    const before = (await kitchen.events(order.orderId)).length;
    expect(await right.command('bump', order.orderId, 1)).toEqual({ type: 'done' });
    expect(await kitchen.events(order.orderId)).toHaveLength(before);
  });

  test('takes a bumped ticket back, in the next round, and refuses the round that is over', async () => {
    await using screen = await TestScreen.open(kitchen.url, STORE);
    const order = testOrder();
    await kitchen.pay(order);
    await screen.ticket(order.orderId);
    await screen.command('bump', order.orderId, 1);
    await screen.ticket(order.orderId, ({ state }) => state === 'cooked');
    await using late = await TestScreen.open(kitchen.url, STORE);
    const snapshot = late.messages.find((message) => message.type === 'snapshot');
    expect(snapshot?.bumped[0]?.orderId).toBe(order.orderId);
    expect(await screen.command('recall', order.orderId, 1)).toEqual({ type: 'done' });
    await screen.ticket(order.orderId, ({ state, round }) => state === 'open' && round === 2);
    expect(await screen.command('bump', order.orderId, 1)).toMatchObject({ problem: { code: 'ticket-moved-on' } });
    expect(await screen.command('bump', order.orderId, 2)).toEqual({ type: 'done' });
    await screen.ticket(order.orderId, ({ state, round }) => state === 'cooked' && round === 2);
    expect((await kitchen.events(order.orderId)).map(({ id }) => id)).toEqual([
      `${order.orderId}/order.cooked/1`,
      `${order.orderId}/order.recalled/1`,
      `${order.orderId}/order.cooked/2`,
    ]);
  });

  test('answers invalid messages with an error, and goes on', async () => {
    await using screen = await TestScreen.open(kitchen.url, STORE);
    const order = testOrder({ storeId: 'us-il-0002' });
    await kitchen.pay(order);
    await using chain = await TestScreen.open(kitchen.url);
    await chain.ticket(order.orderId);
    expect(await screen.command('bump', order.orderId, 1)).toMatchObject({ problem: { code: 'not-found' } });
    expect(await screen.command('bump', randomUUID(), 1)).toMatchObject({ problem: { code: 'not-found' } });
    for (const text of ['{', '[]', 'null', '{"id":7,"type":"eat"}', '{"id":7,"type":"bump","orderId":"x","round":1}']) {
      screen.sendText(text);
      const answer = await screen.nextError();
      expect(answer.problem.code).toBe('malformed-request');
    }
    expect(await chain.command('bump', order.orderId, 1)).toEqual({ type: 'done' });
  });

  test('lets only its own page open the WebSocket', async () => {
    await expect(TestScreen.open(kitchen.url, STORE, { Origin: 'https://evil.example' })).rejects.toThrow('403');
    await expect(
      TestScreen.open(kitchen.url, STORE, { Host: 'evil.example', Origin: 'http://evil.example' }),
    ).rejects.toThrow('421');
    expect(await metric(kitchen.adminUrl, 'ordermesh_display_screens_refused_total')).toBe(2);
    await using screen = await TestScreen.open(kitchen.url, STORE, { Origin: new URL(kitchen.url).origin });
    expect(screen.messages[0]?.type).toBe('snapshot');
  });

  test('serves the page with a policy that allows only its own origin', async () => {
    for (const path of ['/', `/?store=${STORE}`, `/stores/${STORE}`]) {
      const response = await fetch(new URL(path, kitchen.url));
      expect(response.status).toBe(200);
      expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
      expect(await response.text()).toContain('<title>Ordermesh kitchen display</title>');
    }
    const script = await fetch(new URL('/page/main.ts', kitchen.url));
    expect(script.headers.get('content-type')).toContain('text/javascript');
    const etag = script.headers.get('etag') ?? '';
    const again = await fetch(new URL('/page/main.ts', kitchen.url), { headers: { 'if-none-match': etag } });
    expect(again.status).toBe(304);
    expect((await fetch(new URL('/page/../server.ts', kitchen.url))).status).toBe(404);
    expect((await fetch(new URL('/', kitchen.url), { method: 'POST' })).status).toBe(405);
  });

  test('says what it does in metrics', async () => {
    const text = await (await fetch(new URL('/metrics', kitchen.adminUrl))).text();
    for (const name of [
      'screens',
      'updates_total',
      'commands_total',
      'snapshot_bytes_count',
      'notify_to_send_seconds_count',
    ])
      expect(text).toContain(`ordermesh_display_${name}`);
    expect((await fetch(new URL('/readyz', kitchen.adminUrl))).status).toBe(200);
  });
});

describe('kitchen display in an outage', () => {
  test('keeps the ticket and says so while the log takes no events', async () => {
    const display = await kitchen.startDisplay(
      { ORDERMESH_DISPLAY_PORT: 0, ORDERMESH_PRODUCE_DEADLINE: 1_500 },
      { topic: uniqueName('missing') },
    );
    try {
      await using screen = await TestScreen.open(display.addresses.display ?? '', STORE);
      const order = testOrder();
      await kitchen.pay(order);
      await screen.ticket(order.orderId);
      const answer = await screen.command('bump', order.orderId, 1);
      expect(answer).toMatchObject({ type: 'error', problem: { code: 'log-unavailable', status: 503 } });
      await using other = await TestScreen.open(kitchen.url, STORE);
      expect((await other.ticket(order.orderId)).state).toBe('open');
    } finally {
      await display.close();
    }
  });

  test('says that the database is down, goes on, and gives every screen a snapshot when it is back', async () => {
    const address = new URL(kitchen.database.urlAs('display'));
    const proxy = await startToggledProxy(address.href);
    address.host = proxy.address;
    const display = await kitchen.startDisplay({ ORDERMESH_DISPLAY_PORT: 0, DATABASE_URL: { text: address.href } });
    const ready = async () => (await fetch(new URL('/readyz', display.addresses.admin))).status;
    try {
      await using screen = await TestScreen.open(display.addresses.display ?? '', STORE);
      const known = testOrder();
      await kitchen.pay(known);
      await screen.ticket(known.orderId);
      proxy.interrupt();
      await vi.waitUntil(() => screen.messages.some((it) => it.type === 'beat' && it.database === 'down'), waiting);
      expect(await ready()).toBe(503);
      expect(await screen.command('bump', known.orderId, 1)).toMatchObject({
        problem: { code: 'tickets-unavailable' },
      });
      const meanwhile = testOrder();
      await kitchen.pay(meanwhile);
      proxy.resume();
      await screen.ticket(meanwhile.orderId);
      expect(screen.closed).toBe(false);
      await vi.waitFor(async () => expect(await ready()).toBe(200), waiting);
      const later = testOrder();
      await kitchen.pay(later);
      await screen.ticket(later.orderId);
    } finally {
      await display.close();
      await proxy.close();
    }
  });

  test('tells the screens that orders wait while the kitchen does not work', async () => {
    await using still = await TestKitchen.start();
    await using screen = await TestScreen.open(still.url, STORE);
    const lastBeat = () => screen.messages.findLast((message) => message.type === 'beat');
    const first = testOrder();
    await still.pay(first);
    await screen.ticket(first.orderId);
    await still.runtime.close();
    await still.pay(testOrder());
    await vi.waitFor(() => expect(lastBeat()).toMatchObject({ database: 'up', stale: { why: 'pipeline' } }), {
      timeout: 40_000,
      interval: 25,
    });
    const ready = await fetch(new URL('/readyz', still.adminUrl));
    expect(ready.status).toBe(200);
    expect(await ready.text()).toMatch(/^ready\npipeline: .* since \d\d:\d\d:\d\d: orders wait at kitchen-/);
    expect(await metric(still.adminUrl, 'ordermesh_display_pipeline_standstill_seconds')).toBeGreaterThan(5);
  });

  test('closes a screen that does not read, and keeps serving the others', async () => {
    await using reader = await TestScreen.open(kitchen.url);
    const hangUp = await openDeafScreen(kitchen.url);
    onTestFinished(hangUp);
    // Large tickets, until the bound of the deaf screen's socket is passed.
    const note = 'x'.repeat(200);
    const items = Array.from({ length: 100 }, () => ({ sku: 'cola', quantity: 1, unitPrice: 1, note }));
    let last = '';
    await vi.waitFor(
      async () => {
        const orders = Array.from({ length: 40 }, () => testOrder({ items, storeId: 'us-il-0003' }));
        last = orders.at(-1)?.orderId ?? '';
        await kitchen.pay(...orders);
        await reader.ticket(last);
        expect(await metric(kitchen.adminUrl, 'ordermesh_display_screens_dropped_total')).toBeGreaterThan(0);
      },
      { timeout: 40_000, interval: 1 },
    );
    expect(reader.closed).toBe(false);
  });
});

async function metric(url: string, name: string): Promise<number> {
  const text = await (await fetch(new URL('/metrics', url))).text();
  return Number(new RegExp(`^${name}(?:{.*})? (.*)$`, 'm').exec(text)?.[1]);
}
