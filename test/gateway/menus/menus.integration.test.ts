import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { MenuChanged } from '../../../contracts/menu/menu-events.ts';
import { menuEventsTopic } from '../../../contracts/topics.ts';
import { tailTopic } from '../../../kafka/index.ts';
import { loadMenu } from '../../../store/orders/menu.ts';
import { testMenu } from '../../actors/support.ts';
import { createTestDatabase, servers, type TestDatabase } from '../../support/servers.ts';
import { applyTestTopics, sampleOrder, startTestGateway, type TestServer } from '../support.ts';

const HOUR_MS = 3_600_000;
const PATH = '/v1/menus/us-il-0001';

let database: TestDatabase;
let server: TestServer;
beforeAll(async () => {
  await applyTestTopics();
  database = await createTestDatabase();
  await loadMenu(database.sql, testMenu());
  server = await startTestGateway({ DATABASE_URL: database.urlAs('intake') });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

const put = (sku: string, body: unknown, on = server, headers: Record<string, string> = {}) =>
  on.call(`${PATH}/items/${sku}/availability`, {
    method: 'PUT',
    headers,
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });

describe('GET of a menu', () => {
  test('answers the menu in force, with a tag that answers 304 until something changes', async () => {
    const first = await server.call(PATH);
    expect(first).toMatchObject({
      status: 200,
      body: {
        storeId: 'us-il-0001',
        name: 'Lakeside',
        timezone: 'America/Chicago',
        opens: '06:00',
        closes: '23:00',
        currency: 'USD',
        items: testMenu().items,
        unavailable: [],
      },
    });
    const etag = first.headers.get('etag') ?? '';
    const known = (tag: string) => server.call(PATH, { headers: { 'if-none-match': tag } });
    for (const tag of [etag, `"other", W/${etag}`, '*']) {
      const unchanged = await known(tag);
      expect([unchanged.status, unchanged.text, unchanged.headers.get('etag')]).toEqual([304, '', etag]);
    }
    expect((await known('"other"')).status).toBe(200);
    expect((await server.call(PATH, { method: 'HEAD' })).headers.get('etag')).toBe(etag);
    await put('fries', { available: false });
    const changed = await known(etag);
    expect(changed).toMatchObject({ status: 200, body: { unavailable: [{ sku: 'fries' }] } });
    await put('fries', { available: true });
    const again = await known(etag);
    expect(again).toMatchObject({ status: 200, body: { unavailable: [], revision: first.body.revision + 2 } });
  });

  test('answers the menu of an instant, and says when the next one comes', async () => {
    const menu = testMenu();
    for (const item of menu.items) item.price += 1;
    const effectiveAt = new Date(Date.now() + HOUR_MS);
    await loadMenu(database.sql, menu, { effectiveAt });
    const { body: now } = await server.call(PATH);
    expect(now).toMatchObject({ until: effectiveAt.toISOString(), items: testMenu().items });
    const { body: next } = await server.call(`${PATH}?at=${now.until}`);
    expect(next).toMatchObject({ effectiveAt: effectiveAt.toISOString(), items: menu.items });
    expect(next.until).toBeUndefined();
    const { body: before } = await server.call(`${PATH}?at=2001-01-01T00:00:00%2B01:00`);
    expect(before.version).toBe(now.version);
    for (const at of ['', 'yesterday', '0000-01-01T00:00:00Z', '2026-02-30T00:00:00Z'])
      expect(await server.call(`${PATH}?at=${at}`)).toMatchObject({ status: 400, body: { code: 'malformed-request' } });
  });

  test('answers the store of the token alone', async () => {
    const authorization = await server.bearer({ store: 'us-il-0002' });
    expect(await server.call(PATH, { headers: { authorization } })).toMatchObject({ status: 403 });
    const unknown = await server.bearer({ store: 'us-xx-0009' });
    expect(await server.call('/v1/menus/us-xx-0009', { headers: { authorization: unknown } })).toMatchObject({
      status: 404,
      body: { code: 'not-found' },
    });
    expect(await server.call(PATH, { headers: { authorization: 'Bearer no' } })).toMatchObject({ status: 401 });
    expect(await server.call(PATH, { method: 'POST' })).toMatchObject({ status: 405 });
  });
});

describe('PUT of an availability', () => {
  test('is told to the streams of the store at every gateway, and the last event has the whole state', async () => {
    await using other = await startTestGateway({ DATABASE_URL: database.urlAs('intake') });
    const { cluster } = servers();
    const events: MenuChanged[] = [];
    const options = { cluster, topic: menuEventsTopic, from: 'latest' as const, onTrouble: () => {} };
    const tail = await tailTopic(options, ({ key, value }) => {
      if (String(key) === 'us-il-0001') events.push(JSON.parse(String(value)));
    });
    const frames: { type: string; unavailable?: { sku: string }[] }[] = [];
    const bearer = (await other.bearer()).replace('Bearer ', 'bearer.');
    const socket = new WebSocket(`${other.url.replace('http', 'ws')}/v1/stream`, ['ordermesh.v1.json', bearer]);
    socket.addEventListener('message', ({ data }) => frames.push(JSON.parse(String(data))));
    await new Promise((resolve) => socket.addEventListener('open', resolve));
    await put('fries', { available: false, reason: 'fryer broken' });
    // The feed starts with the stream and reads from then on: the same change again is told again.
    await vi.waitFor(
      async () => {
        await put('cheese', { available: false });
        expect(frames.at(-1)?.unavailable?.map(({ sku }) => sku)).toEqual(['cheese', 'fries']);
      },
      { timeout: 30_000, interval: 500 },
    );
    expect(frames.at(-1)).toMatchObject({ type: 'menu.changed', storeId: 'us-il-0001' });
    await vi.waitFor(() => expect(events.at(-1)?.unavailable).toHaveLength(2), { timeout: 30_000 });
    expect(events.at(-1)?.unavailable[1]).toMatchObject({ sku: 'fries', reason: 'fryer broken' });
    socket.close();
    await tail.close();
  });

  test('answers what the store has now', async () => {
    expect(await put('burger', { onHand: 7 })).toMatchObject({
      status: 200,
      body: { storeId: 'us-il-0001', sku: 'burger', available: true, onHand: 7 },
    });
    const out = await put('burger', { available: false, reason: 'sold out' });
    expect(out.body).toMatchObject({ available: false, reason: 'sold out', onHand: 7 });
    expect((await put('burger', { available: false, reason: 'sold out' })).body).toEqual(out.body);
  });

  test.each<[what: string, sku: string, body: unknown, status: number, code: string, pointers?: string[]]>([
    ['no JSON', 'fries', '{', 400, 'malformed-body'],
    ['nothing', 'fries', {}, 422, 'invalid-menu-change'],
    ['a wrong field', 'fries', { available: 'no' }, 422, 'invalid-menu-change', ['/available']],
    ['an unknown field', 'fries', { available: true, colour: 1 }, 422, 'invalid-menu-change', ['/colour']],
    ['less than nothing', 'fries', { onHand: -1 }, 422, 'invalid-menu-change', ['/onHand']],
    ['a SKU that nobody has', 'gold', { available: false }, 404, 'not-found'],
  ])('refuses %s', async (_, sku, body, status, code, pointers = []) => {
    const answer = await put(sku, body);
    expect(answer).toMatchObject({ status, body: { code } });
    const named = (answer.body.errors ?? []).map(({ pointer }: { pointer: string }) => pointer);
    expect(named).toEqual(expect.arrayContaining(pointers));
  });

  test('refuses another type of content, too much of it, and another store', async () => {
    expect((await put('fries', '{}', server, { 'content-type': 'text/plain' })).status).toBe(415);
    expect((await put('fries', { available: true, reason: 'x'.repeat(9_000) })).status).toBe(413);
    const authorization = await server.bearer({ store: 'us-il-0002' });
    expect((await put('fries', { available: true }, server, { authorization })).status).toBe(403);
  });
});

test.each([
  ['without a database', {}],
  ['while the database does not answer', { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' }],
])('%s menus get 503, and orders are taken', async (_, environment) => {
  await using alone = await startTestGateway(environment);
  const answers = [await alone.call(PATH), await put('fries', { available: false }, alone)];
  for (const answer of answers) {
    expect(answer).toMatchObject({ status: 503, body: { code: 'menu-unavailable' } });
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  }
  expect((await alone.post(sampleOrder())).status).toBe(202);
});

test('a change that cannot be told is answered with 503, and again with 200 when it can', async () => {
  await using deaf = await startTestGateway({
    DATABASE_URL: database.urlAs('intake'),
    KAFKA_BROKERS: '127.0.0.1:1',
    ORDERMESH_PRODUCE_DEADLINE: '500ms',
  });
  expect(await put('shake', { available: false }, deaf)).toMatchObject({ status: 503 });
  expect(await put('shake', { available: false })).toMatchObject({ status: 200, body: { available: false } });
});
