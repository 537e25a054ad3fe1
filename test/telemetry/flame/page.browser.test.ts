import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { hasChromium, launchBrowser } from '../../../perf/load/chromium.ts';
import { comparisonPage, flamePage } from '../../../telemetry/flame/flame-page.ts';
import { foldThreads } from '../../../telemetry/flame/fold.ts';
import { cpuProfile } from './profiles.ts';

/** Without a browser its tests are skipped by name; where `CI` is set they fail instead. */
const skipWithoutBrowser = !hasChromium() && process.env.CI === undefined;

const decode = 'decodeOrder@actors/order-validator/actor.ts:159';
const flameOf = (us: number) =>
  foldThreads([
    { thread: 'main', profile: cpuProfile([['(program)'], 100], [['(idle)'], 900]) },
    { thread: 'slot 0', profile: cpuProfile([[decode, 'parse@actors/invalid-message.ts:22'], us], [[decode], 100]) },
  ]);

let directory: string;
let browser: Browser;
let page: Page;
const complaints: string[] = [];
beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'ordermesh-flame-'));
  if (!skipWithoutBrowser) browser = await launchBrowser();
});
afterAll(async () => {
  await browser?.close();
  await rm(directory, { recursive: true });
});
beforeEach(async () => {
  complaints.length = 0;
  page = await browser?.newPage({ viewport: { width: 1200, height: 800 } });
  page?.on('pageerror', ({ message }) => complaints.push(message));
  page?.on('console', (message) => complaints.push(message.text()));
  page?.on('request', (request) => request.url().startsWith('file:') || complaints.push(request.url()));
});

async function open(html: string): Promise<void> {
  const file = path.join(directory, 'page.html');
  await writeFile(file, html);
  await page.goto(pathToFileURL(file).href);
}

const frame = (name: string) => page.locator(`g.frame[name="${name}"]`);
const width = (name: string) => frame(name).evaluate((g) => Number(g.getAttribute('width')));

test.skipIf(skipWithoutBrowser)('the graph zooms, finds, explains, and sends no request', async () => {
  await open(await flamePage('payment', flameOf(200)));
  expect(await page.locator('#title').textContent()).toBe('payment');
  await frame('decodeOrder').hover();
  expect(await page.locator('#tip').textContent()).toBe(
    'decodeOrder\nactors/order-validator/actor.ts:159\nself 25.0 % (0.1 ms), total 75.0 % (0.3 ms)',
  );
  expect(await frame('idle').count()).toBe(0);
  expect(await width('decode')).toBeCloseTo(0.75 * (await width('all')), 0);
  await frame('parse').click();
  expect(await width('parse')).toBe(await width('all'));
  await page.keyboard.press('Escape');
  expect(await width('parse')).toBeCloseTo(0.5 * (await width('all')), 0);
  await page.locator('#search').fill('INVALID-message');
  expect(await page.locator('#found').textContent()).toBe('50.0 % of the graph, with what these call');
  await page.locator('#idle').check();
  expect(await width('idle')).toBeGreaterThan(await width('decode'));
  // Shares stay without idle.
  expect(await page.locator('#tables tr', { hasText: 'decode' }).first().textContent()).toContain('75.0 %');
  expect(complaints).toEqual([]);
});

test.skipIf(skipWithoutBrowser)('a comparison says in figures what grew and what shrank', async () => {
  await open(await comparisonPage('A: a · B: b', flameOf(200), flameOf(800)));
  await frame('parse +30.0').hover();
  expect(await page.locator('#tip').textContent()).toContain('total A 50.0 %, B 80.0 %: +30.0 points');
  expect(await width('parse +30.0')).toBeCloseTo(0.8 * (await width('all ±0')), 0);
  await page.locator('#side').selectOption('a');
  expect(await width('parse +30.0')).toBeCloseTo(0.5 * (await width('all ±0')), 0);
  const [first] = await page.locator('#tables table').nth(1).locator('tbody tr').allTextContents();
  expect(first).toBe('50.0 %80.0 %+30.0parseactors/invalid-message.ts:22');
  expect(complaints).toEqual([]);
});
