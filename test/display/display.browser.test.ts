import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Order } from '../../contracts/order/order.ts';
import { ticketNumber } from '../../display/page/age.ts';
import { codeFrom } from '../../display/pairing/code.ts';
import { hasChromium, launchBrowser } from '../../perf/load/chromium.ts';
import { admitPairing, revokeScreens } from '../../store/screens/screens.ts';
import { TestKitchen, testOrder } from './test-kitchen.ts';

/** Without a browser its tests are skipped by name; where `CI` is set they fail instead. */
const skipWithoutBrowser = !hasChromium() && process.env.CI === undefined;

let kitchen: TestKitchen;
let browser: Browser;
let page: Page;
let storeId: string;
let stores = 0;
const complaints: string[] = [];

beforeAll(async () => {
  [kitchen, browser] = await Promise.all([TestKitchen.start(), launchBrowser()]);
});
afterAll(async () => {
  await browser?.close();
  await kitchen?.[Symbol.asyncDispose]();
});

beforeEach(async () => {
  // A store of its own keeps the tests' tickets apart.
  stores++;
  storeId = `us-il-00${String(stores).padStart(2, '0')}`;
  complaints.length = 0;
  page = await browser.newPage({ viewport: { width: 1920, height: 1080 }, reducedMotion: 'reduce' });
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
});
afterEach(() => page.close());

const order = (changes: Partial<Order> = {}) => testOrder({ storeId, ...changes });
const ticketOf = ({ orderId }: Order): Locator => page.locator(`.ticket[data-order="${orderId}"]`);

async function openStore(): Promise<void> {
  await page.goto(`${kitchen.url}stores/${storeId}`);
  await page.locator('#line[data-line="live"]').waitFor();
}

async function eventTypes({ orderId }: Order): Promise<string[]> {
  return (await kitchen.events(orderId)).map(({ type }) => type);
}

/** Runs in the page. */
function backgroundOf(node: { computedStyleMap(): { get(name: string): unknown } }): string {
  const style = node.computedStyleMap();
  return `${style.get('background-color')} ${style.get('background-image')}`;
}

describe.skipIf(skipWithoutBrowser)('kitchen display page', () => {
  test('shows a ticket as soon as it is paid, and not before', async () => {
    await openStore();
    await page.getByText('All caught up').waitFor();
    const [unpaid, paid] = [order(), order({ channel: 'delivery' })];
    await kitchen.validate(unpaid);
    await kitchen.pay(paid);
    const ticket = ticketOf(paid);
    await ticket.waitFor();
    expect(await ticketOf(unpaid).count()).toBe(0);
    expect(await ticket.getByRole('heading').textContent()).toBe(ticketNumber(paid));
    for (const text of ['Delivery', 'Double cheeseburger', 'Bacon', 'No onion', 'cut in half'])
      expect(await ticket.getByText(text).isVisible()).toBe(true);
    expect(await ticket.locator('.quantity').textContent()).toBe('2');
    await page.locator('#announcer', { hasText: ticketNumber(paid) }).waitFor({ state: 'attached' });
    expect(complaints).toEqual([]);
  });

  test('shows what the till said: number, guest, table, promised time, allergies and the parts of a combo', async () => {
    await openStore();
    const paid = order({
      number: 'A27',
      guest: { name: 'نور' },
      fulfilment: { type: 'eat-in', table: '12', promisedAt: '2026-11-22T10:30:00.000Z' },
      items: [
        {
          sku: 'burger-menu',
          quantity: 1,
          unitPrice: 899,
          parts: [
            { sku: 'double-cheeseburger', quantity: 1, unitPrice: 0, modifiers: [{ sku: 'no-onion', unitPrice: 0 }] },
            { sku: 'fries-large', quantity: 2, unitPrice: 50 },
          ],
          allergies: ['peanut', 'sesame'],
        },
      ],
    });
    await kitchen.pay(paid);
    const ticket = ticketOf(paid);
    await ticket.waitFor();
    expect(await ticket.getByRole('heading').textContent()).toBe('A27');
    const texts = ['Eat in', 'Table 12', 'نور', 'Burger menu', 'Double cheeseburger', 'No onion'];
    for (const text of [...texts, '2× Fries, large', 'Allergy: peanut, sesame'])
      expect(await ticket.getByText(text).isVisible(), text).toBe(true);
    const spoken = await ticket.getByRole('article').getAttribute('aria-label');
    expect(spoken).toBe('Ticket A27, نور, Eat in, table 12: 1 Burger menu, allergy peanut and sesame');
    expect(complaints).toEqual([]);
  });

  test('does not call the kitchen of an unknown store caught up', async () => {
    await page.goto(`${kitchen.url}stores/us-zz-9999`);
    await page.getByText('No such store').waitFor();
    expect(await page.getByText('All caught up').isVisible()).toBe(false);
    expect(await page.getByText('us-zz-9999, and no order of it was seen').isVisible()).toBe(true);
  });

  test('shows that a mistyped store does not exist', async () => {
    for (const mistyped of ['US-IL-0001', '%zz']) {
      await page.goto(`${kitchen.url}stores/${mistyped}`);
      await page.getByText('No such store').waitFor();
      expect(await page.getByText(`The menu has no store ${mistyped}`).isVisible()).toBe(true);
    }
  });

  test('says that it has no connection when its socket never opens', async () => {
    await page.routeWebSocket(/live/, (socket) => socket.close());
    await page.goto(`${kitchen.url}stores/${storeId}`);
    await page.getByText('No connection to the display service for').waitFor();
  });

  test('does not say that the chain has no orders while orders wait before the kitchen', async () => {
    const display = await kitchen.startDisplay(
      { ORDERMESH_DISPLAY_PORT: 0 },
      // A group that commits nothing, so all records of the topic wait.
      { stages: [{ group: `${kitchen.topic}-none`, topic: kitchen.topic }] },
    );
    try {
      await kitchen.pay(order());
      await page.routeWebSocket(/live/, (socket) => {
        const server = socket.connectToServer();
        // Without the tickets of other tests, because this test needs an empty board.
        server.onMessage((text) => {
          const message = JSON.parse(String(text));
          if (message.type === 'snapshot') socket.send(JSON.stringify({ ...message, tickets: [], open: 0 }));
          else if (message.type !== 'tickets') socket.send(text);
        });
      });
      await page.goto(display.addresses.display ?? '');
      await page.getByText('No orders known').waitFor();
      expect(await page.getByText('No open orders').isVisible()).toBe(false);
    } finally {
      await display.close();
    }
  });

  test('gives the buttons of a chain ticket back when the kitchen does not confirm a bump', async () => {
    // This display writes to a topic that no kitchen reads.
    const topic = `${kitchen.topic}.${kitchen.topic}.dlt`;
    const display = await kitchen.startDisplay({ ORDERMESH_DISPLAY_PORT: 0 }, { topic });
    try {
      await page.goto(display.addresses.display ?? '');
      const paid = order();
      await kitchen.pay(paid);
      const bump = ticketOf(paid).getByRole('button', { name: /^Bump/ });
      await bump.click();
      await ticketOf(paid).getByText('Bumping…').waitFor();
      await page.getByRole('alert').getByText('has not confirmed it yet').waitFor();
      expect(await bump.isEnabled()).toBe(true);
    } finally {
      await display.close();
    }
  });

  test('shows text from a guest as text', async () => {
    await openStore();
    const note = '<img src=x onerror="document.title=1"> <b>bold</b>';
    const sneaky = order({ items: [{ sku: 'cola', quantity: 1, unitPrice: 1, note }] });
    await kitchen.pay(sneaky);
    expect(await ticketOf(sneaky).locator('.note').textContent()).toBe(note);
    expect(complaints).toEqual([]);
  });

  test('ticks, and marks tickets as due and late by more than colour', async () => {
    const display = await kitchen.startDisplay({
      ORDERMESH_DISPLAY_PORT: 0,
      ORDERMESH_DISPLAY_DUE_AFTER: 4_000,
      ORDERMESH_DISPLAY_LATE_AFTER: 7_000,
    });
    try {
      await page.goto(`${display.addresses.display}stores/${storeId}`);
      await page.locator('#line[data-line="live"]').waitFor();
      const paid = order({ placedAt: new Date().toISOString() });
      const old = order({ placedAt: new Date(Date.now() - 754_000).toISOString() });
      await kitchen.pay(paid, old);
      const looks: string[] = [];
      for (const [age, word] of [
        ['fresh', 'On time'],
        ['due', 'Hurry'],
        ['late', 'Late'],
      ]) {
        const ticket = page.locator(`.ticket[data-order="${paid.orderId}"][data-age="${age}"]`);
        await ticket.getByText(word ?? '', { exact: true }).waitFor();
        looks.push(await ticket.locator('header').evaluate(backgroundOf));
      }
      expect(new Set(looks).size).toBe(3);
      expect(await ticketOf(old).locator('.elapsed').textContent()).toMatch(/^12:[34]\d$/);
      expect(complaints).toEqual([]);
    } finally {
      await display.close();
    }
  });

  test('bumps by key: the event is in the log, the ticket leaves, and its place stays empty for a while', async () => {
    await openStore();
    const [first, second] = [order({ placedAt: new Date(Date.now() - 60_000).toISOString() }), order()];
    await kitchen.pay(second, first);
    await ticketOf(second).waitFor();
    expect(await ticketOf(first).getAttribute('data-position')).toBe('1');
    expect(await ticketOf(second).getAttribute('data-position')).toBe('2');
    await page.keyboard.press('Digit1');
    await page.locator(`.ticket[data-order="${first.orderId}"][data-left]`).waitFor();
    expect(await eventTypes(first)).toEqual(['order.cooked']);
    // The next card has not moved, and the same key does not bump another ticket.
    expect(await ticketOf(second).getAttribute('data-position')).toBe('2');
    await page.keyboard.press('Digit1');
    await page.locator(`.ticket[data-order="${second.orderId}"][data-position="1"]`).waitFor();
    expect(await ticketOf(first).count()).toBe(0);
    expect(await eventTypes(second)).toEqual([]);
    expect(complaints).toEqual([]);
  });

  test('starts and bumps by click, once for a double click', async () => {
    await openStore();
    const [paid, neighbour] = [order({ placedAt: new Date(Date.now() - 60_000).toISOString() }), order()];
    await kitchen.pay(paid, neighbour);
    const ticket = ticketOf(paid);
    await ticketOf(neighbour).waitFor();
    await ticket.getByRole('button', { name: /^Start/ }).click();
    await page.locator(`.ticket[data-order="${paid.orderId}"][data-state="cooking"]`).waitFor();
    await ticket.getByRole('button', { name: /^Bump/ }).dblclick();
    await page.locator(`.ticket[data-order="${paid.orderId}"][data-left]`).waitFor();
    await ticket.waitFor({ state: 'detached' });
    expect(await eventTypes(paid)).toEqual(['order.cooking', 'order.cooked']);
    expect(await eventTypes(neighbour)).toEqual([]);
  });

  test('takes tickets back: from their place, by key, and from the list', async () => {
    await openStore();
    const paid = order();
    const back = (round: number) =>
      page.locator(`.ticket[data-order="${paid.orderId}"][data-round="${round}"]:not([data-left])`);
    await kitchen.pay(paid);
    await back(1).waitFor();
    await page.keyboard.press('Digit1');
    await ticketOf(paid)
      .getByRole('button', { name: /^Take back/ })
      .click();
    await back(2).waitFor();
    expect(await ticketOf(paid).getByText('Taken back').isVisible()).toBe(true);
    await bump(2);
    await page.keyboard.press('KeyR');
    await back(3).waitFor();
    await bump(3);
    await page.getByRole('button', { name: 'Recall' }).click();
    const list = page.getByRole('dialog');
    await list.getByRole('button', { name: `Recall ticket ${ticketNumber(paid)}` }).click();
    await back(4).waitFor();
    await page.keyboard.press('Escape');
    await list.waitFor({ state: 'hidden' });
    expect((await kitchen.events(paid.orderId)).map(({ id }) => id.slice(paid.orderId.length))).toEqual([
      '/order.cooked/1',
      '/order.recalled/1',
      '/order.cooked/2',
      '/order.recalled/2',
      '/order.cooked/3',
      '/order.recalled/3',
    ]);

    async function bump(round: number): Promise<void> {
      await back(round).getByRole('button', { name: /^Bump/ }).click();
      await page.locator(`.ticket[data-order="${paid.orderId}"][data-left]`).waitFor();
    }
  });

  test('keeps long boards in columns, the oldest first, and says how many wait beyond the edge', async () => {
    await openStore();
    const ages = Array.from({ length: 14 }, (_, index) => 900 - index * 60);
    const orders = ages.map((seconds) => order({ placedAt: new Date(Date.now() - seconds * 1_000).toISOString() }));
    await kitchen.pay(...orders);
    await page.getByRole('button', { name: '6 more' }).waitFor();
    const shown = await page
      .locator('.ticket')
      .evaluateAll((nodes) => nodes.map((node) => node.getAttribute('data-order')));
    expect(shown).toEqual(orders.map(({ orderId }) => orderId));
    await page.getByRole('button', { name: '6 more' }).click();
    await page.getByRole('button', { name: 'Back to the oldest' }).waitFor();
    const body = await page.evaluate<[number, number]>('[document.documentElement.scrollWidth, innerWidth]');
    expect(body[0]).toBeLessThanOrEqual(body[1]);
  });

  test('says that the connection is lost, reconnects by itself and catches up', async () => {
    await openStore();
    const before = order();
    await kitchen.pay(before);
    await ticketOf(before).waitFor();
    const during = order();
    await kitchen.restartDisplay(async () => {
      await page.getByText('Connection lost').waitFor();
      expect(await ticketOf(before).isVisible()).toBe(true);
      await page.keyboard.press('Digit1');
      await page.getByText('No connection').waitFor();
      await kitchen.pay(during);
    });
    await page.locator('#line[data-line="live"]').waitFor();
    await ticketOf(during).waitFor();
    expect(await ticketOf(before).isVisible()).toBe(true);
    expect(await page.locator('#banner').isVisible()).toBe(false);
    expect(await eventTypes(before)).toEqual([]);
  });

  test('shows the error and keeps the ticket when a bump fails', async () => {
    const display = await kitchen.startDisplay(
      { ORDERMESH_DISPLAY_PORT: 0, ORDERMESH_PRODUCE_DEADLINE: 1_500 },
      { topic: `${kitchen.topic}-missing` },
    );
    try {
      await page.goto(`${display.addresses.display}stores/${storeId}`);
      const paid = order();
      await kitchen.pay(paid);
      await ticketOf(paid).getByRole('button', { name: /^Bump/ }).click();
      await page
        .getByRole('alert')
        .getByText(`Ticket ${ticketNumber(paid)} not bumped`)
        .waitFor();
      expect(await ticketOf(paid).getByRole('button', { name: /^Bump/ }).isEnabled()).toBe(true);
    } finally {
      await display.close();
    }
  });

  test('shows the chain: the newest tickets, and every store with its open tickets and a link', async () => {
    await page.goto(kitchen.url);
    const paid = order();
    await kitchen.pay(paid);
    await ticketOf(paid).waitFor();
    const tile = page.locator(`.tile[href="/stores/${storeId}"]`);
    await vi.waitFor(async () => expect(await tile.locator('strong').textContent()).toBe('1'), { timeout: 10_000 });
    expect(await page.locator('.tile').count()).toBe(300);
    await tile.click();
    await page.waitForURL(`**/stores/${storeId}`);
    await ticketOf(paid).waitFor();
    expect(complaints).toEqual([]);
  });

  test('has targets large enough for a finger', async () => {
    await page.setViewportSize({ width: 1024, height: 768 });
    await openStore();
    await kitchen.pay(order());
    await page.locator('.ticket').waitFor();
    for (const button of await page.getByRole('button').all()) {
      const box = await button.boundingBox();
      if (box === null) continue;
      expect(Math.min(box.width, box.height)).toBeGreaterThanOrEqual(44);
    }
  });

  test('shows a code until the screen is admitted, and again when it is removed', async () => {
    const locked = await kitchen.startDisplay({ ORDERMESH_DISPLAY_PORT: 0, ORDERMESH_DISPLAY_AUTH: 'on' });
    try {
      await page.goto(`${locked.addresses.display}stores/${storeId}`);
      const shown = page.locator('.pairing-code');
      await expect.poll(() => shown.textContent(), { timeout: 20_000 }).toMatch(/^\w{3} \w{3}$/);
      expect(await page.getByText('Pair this screen').isVisible()).toBe(true);
      const code = codeFrom((await shown.textContent()) ?? '') ?? '';
      const screen = await admitPairing(kitchen.database.sql, code, { name: 'grill', storeId });
      await page.locator('#line[data-line="live"]').waitFor();
      const paid = order();
      await kitchen.pay(paid);
      await ticketOf(paid).waitFor();
      await page.keyboard.press('1');
      await expect.poll(() => eventTypes(paid), { timeout: 20_000 }).toEqual(['order.cooked']);
      // Another store is not for this screen: the page goes to its own.
      await page.goto(locked.addresses.display ?? '');
      await page.waitForURL(`**/stores/${storeId}`);
      await page.locator('#line[data-line="live"]').waitFor();
      await revokeScreens(kitchen.database.sql, { screenId: screen?.screenId ?? '' });
      await page.getByText('This screen was removed; pair again').waitFor();
      await expect.poll(() => shown.textContent(), { timeout: 20_000 }).toMatch(/^\w{3} \w{3}$/);
      if (process.env.SCREENSHOT !== undefined) await page.screenshot({ path: process.env.SCREENSHOT });
      expect(complaints.filter((text) => !text.includes('401'))).toEqual([]);
    } finally {
      await locked.close();
    }
  });
});
