import { expect, test } from 'vitest';
import { chartsOf } from '../../../lab/load/page/charts.ts';
import { loadPage } from '../../../lab/load/page/page.ts';
import { hasChromium } from '../../../perf/load/chromium.ts';
import { openOffline } from '../../support/offline-page.ts';
import { someLoad } from './some-load.ts';

test.skipIf(!hasChromium() && process.env.CI === undefined)('every chart is drawn, without a network', async () => {
  await using opened = await openOffline(await loadPage({ intro: 'over http', report: someLoad }));
  const { page, complaints } = opened;
  await expect.poll(() => page.locator('#charts canvas').count()).toBe(5);
  expect(await page.locator('#charts .u-legend .u-label').allTextContents()).toEqual(
    chartsOf(someLoad).flatMap(({ x, lines }) => [x === 'seconds' ? 'time' : 'percentile', ...lines]),
  );
  expect(complaints).toEqual([]);
});
