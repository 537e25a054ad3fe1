import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { ordermesh } from '../support/ordermesh.ts';
import { STORE, TestKitchen, testOrder } from './test-kitchen.ts';
import { TestScreen } from './test-screen.ts';

const soon = { timeout: 20_000, interval: 50 };
const OTHER = 'us-il-0002';

let kitchen: TestKitchen;
beforeAll(async () => {
  kitchen = await TestKitchen.start({ ORDERMESH_DISPLAY_AUTH: 'on' });
});
afterAll(() => kitchen?.[Symbol.asyncDispose]());

/** A browser, as far as pairing is concerned. */
class Page {
  cookie = '';

  async ask(method: 'GET' | 'POST', path: string, headers: Record<string, string> = {}) {
    const response = await fetch(new URL(path, kitchen.url), { method, headers: { cookie: this.cookie, ...headers } });
    const [set] = response.headers.getSetCookie();
    if (set !== undefined) this.cookie = set.split(';')[0] ?? '';
    return { status: response.status, set, body: (await response.json()) as { access: string; code?: string } };
  }

  open(store?: string) {
    return TestScreen.open(kitchen.url, store, { cookie: this.cookie });
  }
}

async function waitingPage(query = ''): Promise<{ page: Page; code: string }> {
  const page = new Page();
  const { body } = await page.ask('POST', `/v1/screens/pairing${query}`);
  return { page, code: body.code ?? '' };
}

const display = (...args: string[]) =>
  ordermesh(['display', ...args], { DATABASE_URL: kitchen.database.urlAs('operator') });

test('a screen is paired by its code, sees its store, bumps, and is removed', async () => {
  const { page, code } = await waitingPage(`?store=${STORE}`);
  const asked = await page.ask('GET', '/v1/screens/me');
  expect(asked.body).toMatchObject({ access: 'waiting', code });
  await expect(page.open(STORE)).rejects.toThrow('401');

  const wrong = await display('pair', code, '--store', OTHER);
  expect(wrong.stderr).toContain(`asks for store ${STORE}, not ${OTHER}`);
  expect(wrong.code).toBe(2);
  const paired = await display('pair', code.toLowerCase(), '--store', STORE, '--name', 'grill', '--json');
  expect(paired.stderr).toBe('');
  const { id } = JSON.parse(paired.stdout);
  expect(JSON.parse(paired.stdout)).toMatchObject({ name: 'grill', store: STORE });
  expect((await display('pair', code, '--store', STORE)).stderr).toContain('no screen waits with the code');

  const me = await page.ask('GET', '/v1/screens/me');
  expect(me.body).toMatchObject({ access: 'paired', storeId: STORE, name: 'grill' });
  expect(me.set).toMatch(/^ordermesh_screen_\d+=omscr_[\w-]+; Path=\/; HttpOnly; SameSite=Strict; Max-Age=\d+$/);
  await expect(page.open(OTHER)).rejects.toThrow('403');
  await expect(page.open()).rejects.toThrow('403');

  const screen = await page.open(STORE);
  const order = testOrder();
  await kitchen.pay(order);
  await screen.ticket(order.orderId);
  expect(await screen.command('bump', order.orderId, 1)).toEqual({ type: 'done' });

  const listed = JSON.parse((await display('list', '--store', STORE, '--json')).stdout);
  expect(listed.screens).toMatchObject([{ id, name: 'grill', store: STORE, revokedAt: null }]);
  expect((await display('revoke', id)).stdout).toContain('"grill" was removed');
  await vi.waitFor(() => expect(screen.closed).toBe(true), soon);
  expect(screen.messages.at(-1)).toEqual({ type: 'removed' });
  expect((await page.ask('GET', '/v1/screens/me')).body.access).toBe('unpaired');
  await expect(page.open(STORE)).rejects.toThrow('401');
  expect((await display('revoke', id)).code).toBe(1);
}, 120_000);

test('a chain screen sees every store, and an agent has a token without a code', async () => {
  const { page, code } = await waitingPage();
  expect((await display('pair', code)).stderr).toContain('--chain');
  expect((await display('pair', code, '--chain')).code).toBe(0);
  await using all = await page.open();
  await using one = await page.open(OTHER);
  const order = testOrder({ storeId: OTHER });
  await kitchen.pay(order);
  await Promise.all([all.ticket(order.orderId), one.ticket(order.orderId)]);

  const { stdout } = await display('token', '--store', OTHER);
  const authorization = `Bearer ${stdout.trim()}`;
  await using agent = await TestScreen.open(kitchen.url, OTHER, { authorization });
  await agent.ticket(order.orderId);
  await expect(TestScreen.open(kitchen.url, STORE, { authorization })).rejects.toThrow('403');
}, 120_000);

test('a stranger gets the page with a code, and nothing else', async () => {
  const stranger = new Page();
  expect((await stranger.ask('GET', '/v1/screens/me')).body).toEqual({ access: 'unpaired' });
  for (const headers of [{}, { cookie: 'ordermesh_screen_1=x' }, { authorization: 'Bearer omscr_guess' }])
    await expect(TestScreen.open(kitchen.url, STORE, headers)).rejects.toThrow('401');
  const forged = { origin: 'https://elsewhere.example' };
  const answer = await fetch(new URL('/v1/screens/pairing', kitchen.url), { method: 'POST', headers: forged });
  expect(answer.status).toBe(403);
  expect((await display('pair', 'K7M3QP', '--chain')).stderr).toContain('no screen waits with the code K7M3QP');
  expect((await display('pair', 'O0O0O0', '--chain')).stderr).toContain('six letters and digits');
}, 60_000);

test('screens that cannot be looked up are told by metric and /readyz, until they can', async () => {
  const metric = async () => {
    const text = await (await fetch(new URL('/metrics', kitchen.adminUrl))).text();
    return /^ordermesh_display_pairing_answers\S* (\d)/m.exec(text)?.[1];
  };
  await vi.waitFor(async () => expect(await metric()).toBe('1'), soon);
  await kitchen.database.sql`alter table screens rename to screens_away`;
  await vi.waitFor(async () => expect(await metric()).toBe('0'), soon);
  const ready = await (await fetch(new URL('/readyz', kitchen.adminUrl))).text();
  expect(ready).toContain('pairing: screens cannot be looked up');
  await kitchen.database.sql`alter table screens_away rename to screens`;
  await vi.waitFor(async () => expect(await metric()).toBe('1'), soon);
}, 60_000);
