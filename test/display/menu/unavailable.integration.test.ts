import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { changeAvailability } from '../../../store/menus/availability.ts';
import { ordermesh } from '../../support/ordermesh.ts';
import { STORE, TestKitchen } from '../test-kitchen.ts';

const soon = { timeout: 20_000, interval: 50 };

let kitchen: TestKitchen;
beforeAll(async () => {
  kitchen = await TestKitchen.start({ ORDERMESH_DISPLAY_AUTH: 'on' });
});
afterAll(() => kitchen?.[Symbol.asyncDispose]());

const ask = (store: string, headers: Record<string, string> = {}) =>
  fetch(new URL(`/v1/stores/${store}/unavailable`, kitchen.url), { headers });

test('a screen of the store is told what is 86’d; others are not', async () => {
  const sku = 'extra-cheese';
  const pairing = await fetch(new URL(`/v1/screens/pairing?store=${STORE}`, kitchen.url), { method: 'POST' });
  const { code } = (await pairing.json()) as { code: string };
  const cookie = pairing.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  expect((await ask(STORE)).status).toBe(401);
  const paired = await ordermesh(['display', 'pair', code, '--store', STORE], {
    DATABASE_URL: kitchen.database.urlAs('operator'),
  });
  expect(paired.code, paired.stderr).toBe(0);
  expect(await (await ask(STORE, { cookie })).json()).toEqual({ storeId: STORE, unavailable: [] });
  expect((await ask('us-il-0002', { cookie })).status).toBe(403);
  expect((await ask(STORE, { cookie, origin: 'https://elsewhere.example' })).status).toBe(403);
  const change = { storeId: STORE, sku, available: false, reason: 'fryer broken', windowMs: 1_000 };
  await changeAvailability(kitchen.database.sql, change);
  await vi.waitFor(async () => {
    const { unavailable } = (await (await ask(STORE, { cookie })).json()) as { unavailable: object[] };
    expect(unavailable).toMatchObject([{ sku, reason: 'fryer broken' }]);
  }, soon);
}, 60_000);
