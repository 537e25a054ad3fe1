import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { chartsOf } from '../../../lab/load/page/charts.ts';
import { loadPage } from '../../../lab/load/page/page.ts';
import { hasChromium, launchBrowser } from '../../../perf/load/chromium.ts';
import { someLoad } from './some-load.ts';

test.skipIf(!hasChromium() && process.env.CI === undefined)('every chart is drawn, without a network', async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'ordermesh-load-'));
  const browser = await launchBrowser();
  try {
    const page = await browser.newPage({ viewport: { width: 1200, height: 800 } });
    const complaints: string[] = [];
    page.on('pageerror', ({ message }) => complaints.push(message));
    page.on('console', (message) => complaints.push(message.text()));
    page.on('request', (request) => request.url().startsWith('file:') || complaints.push(request.url()));
    const file = path.join(directory, 'load.html');
    await writeFile(file, await loadPage({ intro: 'over http', report: someLoad }));
    await page.goto(pathToFileURL(file).href);
    await expect.poll(() => page.locator('#charts canvas').count()).toBe(5);
    expect(await page.locator('#charts .u-legend .u-label').allTextContents()).toEqual(
      chartsOf(someLoad).flatMap(({ x, lines }) => [x === 'seconds' ? 'time' : 'percentile', ...lines]),
    );
    expect(complaints).toEqual([]);
  } finally {
    await browser.close();
    await rm(directory, { recursive: true });
  }
});
