import { expect, test } from 'vitest';
import { hasChromium } from '../../../perf/load/chromium.ts';
import { reportPage } from '../../../perf/page/page.ts';
import { createReport } from '../../../perf/report.ts';
import { flamePage } from '../../../telemetry/flame/flame-page.ts';
import { openOffline } from '../../support/offline-page.ts';
import { someCosts, someRates, someSweeps } from './some-report.ts';

test.skipIf(!hasChromium() && process.env.CI === undefined)(
  'plots and flame graphs are drawn, without a network',
  async () => {
    const frame = (name: string) => ({ name, file: '', line: 0 });
    const slot = { frame: frame('slot 0'), self: 5, total: 5, children: [] };
    const flame = {
      unit: 'microseconds' as const,
      root: { frame: frame('all'), self: 0, total: 5, children: [slot] },
    };
    const report = createReport({}, { costs: someCosts, sweeps: someSweeps, pipeline: someRates });
    await using opened = await openOffline(await reportPage(report, { payment: await flamePage('payment', flame) }));
    const { page, complaints } = opened;
    await expect.poll(() => page.locator('#charts canvas').count()).toBe(3);
    expect(await page.locator('#charts .u-legend .u-label').allTextContents()).toEqual([
      ...['time', 'warming up', 'measured'],
      ...['slots', 'runtime', 'least', 'most', 'law'],
      ...['orders/s', 'p50', 'p99'],
    ]);
    await page.locator('summary', { hasText: 'payment' }).click();
    await expect
      .poll(() => page.frameLocator('iframe').locator('svg .d3-flame-graph-label', { hasText: 'slot 0' }).count())
      .toBe(1);
    expect(complaints).toEqual([]);
  },
);
