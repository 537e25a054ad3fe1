/**
 * Takes the pictures of the kitchen display for the documentation, with orders of the simulated chain that went through Kafka, the
 * kitchen actor and PostgreSQL. Needs KAFKA_BROKERS and DATABASE_URL.
 *
 *   node test/display/screenshots.ts [directory]
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import type { Order } from '../../contracts/order/order.ts';
import { createTraffic } from '../../lab/traffic/generator.ts';
import { launchBrowser } from '../../perf/load/chromium.ts';
import { STORE, TestKitchen } from './test-kitchen.ts';

const directory = process.argv[2] ?? 'docs/images';
/** Ages of the tickets on the board, in seconds. */
const ages = [372, 318, 241, 214, 176, 131, 98, 64, 41, 22, 9];

await mkdir(directory, { recursive: true });
const kitchen = await TestKitchen.start();
const browser = await launchBrowser();
const orders = storeOrders();
try {
  await kitchen.pay(...orders, ...chainOrders());
  const wall = await browser.newPage({ viewport: { width: 1920, height: 1080 }, reducedMotion: 'reduce' });
  await wall.goto(`${kitchen.url}stores/${STORE}`);
  await shown(wall, 7);
  await wall.locator('#figures dd', { hasText: /^11$/ }).waitFor();
  for (const position of [1, 2, 4]) {
    await wall.keyboard.press(`Shift+Digit${position}`);
    await wall.locator(`.ticket[data-position="${position}"][data-state="cooking"]`).waitFor();
  }
  await wall.screenshot({ path: join(directory, 'kitchen-display.png') });

  await wall.goto(kitchen.url);
  await wall.locator('.strip .ticket').nth(3).waitFor();
  await wall.locator('.tile').nth(100).waitFor();
  await liveOrders(3_000);
  await wall.screenshot({ path: join(directory, 'kitchen-display-chain.png') });

  const tablet = await browser.newPage({
    viewport: { width: 1024, height: 768 },
    hasTouch: true,
    reducedMotion: 'reduce',
  });
  await tablet.goto(`${kitchen.url}stores/${STORE}`);
  await shown(tablet, 6);
  await tablet.locator('.ticket[data-position="3"] .bump').tap();
  await tablet.locator('.ticket[data-left]').waitFor();
  await tablet.screenshot({ path: join(directory, 'kitchen-display-tablet.png') });
} finally {
  await browser.close();
  await kitchen[Symbol.asyncDispose]();
}

/** Orders of one store, placed some time ago: baskets of usual size, and one large basket. */
function storeOrders(): Order[] {
  const traffic = createTraffic({ seed: 12 });
  const channels: Order['channel'][] = [
    'drive-thru',
    'kiosk',
    'delivery',
    'drive-thru',
    'app',
    'pos',
    'delivery',
    'web',
  ];
  const drawn = Array.from({ length: 600 }, () => traffic.order(noon()).order);
  const usual = drawn.filter(({ items }) => items.length >= 2 && linesOf(items) >= 4 && linesOf(items) <= 5);
  const large = drawn.filter(
    ({ items }) => linesOf(items) >= 8 && linesOf(items) <= 11 && items.some(({ note }) => note),
  );
  return ages.flatMap((seconds, index) => {
    const order = index === 6 ? large[0] : usual[index];
    if (order === undefined) return [];
    const placedAt = new Date(Date.now() - seconds * 1_000).toISOString();
    return [{ ...order, storeId: STORE, channel: channels[index % channels.length] ?? 'pos', placedAt }];
  });
}

function linesOf(items: Order['items']): number {
  return items.reduce((lines, { modifiers, note }) => lines + 1 + (modifiers?.length ?? 0) + (note ? 1 : 0), 0);
}

function chainOrders(): Order[] {
  const traffic = createTraffic({ seed: 4 });
  return Array.from({ length: 900 }, (_, index) => {
    const { order } = traffic.order(noon());
    return { ...order, placedAt: new Date(Date.now() - 5_000 - (900 - index) * 330).toISOString() };
  }).filter(({ storeId }) => storeId !== STORE);
}

/** Twenty orders a second. */
async function liveOrders(forMs: number): Promise<void> {
  const traffic = createTraffic({ seed: 5 });
  const until = Date.now() + forMs;
  while (Date.now() < until) {
    await kitchen.pay({ ...traffic.order(noon()).order, placedAt: new Date().toISOString() });
    await delay(50);
  }
}

/** Baskets of usual lunch orders. */
function noon(): number {
  return Date.UTC(2026, 10, 23, 18, 30);
}

async function shown(page: Page, tickets: number): Promise<void> {
  await page
    .locator('.ticket')
    .nth(tickets - 1)
    .waitFor();
}
