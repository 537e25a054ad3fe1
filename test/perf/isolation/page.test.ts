import { expect, test } from 'vitest';
import { chartsOf, faultTimes } from '../../../perf/isolation/page/charts.ts';
import { isolationPage } from '../../../perf/isolation/page/page.ts';
import { seriesOf } from '../../../perf/isolation/series.ts';
import { summarize } from '../../../perf/isolation/verdict.ts';

const MIB = 2 ** 20;
const round = { p50Ms: 10, p99Ms: 50, tickets: 3, bridgeLagMax: 9, memoryMax: { kitchen: 100 * MIB } };
const rounds = [
  { ...round, name: 'quiet', from: 100_000, to: 110_000 },
  { ...round, name: 'pubsub-stopped', from: 110_000, to: 120_000, drainedS: null },
];
const series = seriesOf({
  rate: 150,
  seconds: 10,
  rounds,
  figures: summarize(rounds),
  orders: [
    // Warm-up.
    { acceptedAt: 90_000, shownAt: 99_000 },
    { acceptedAt: 101_000, shownAt: 101_030 },
    { acceptedAt: 112_000, shownAt: 112_050 },
  ],
  samples: [
    { at: 90_000, bridgeLag: 1_000, kitchenLag: 0, memory: {} },
    { at: 999_000, bridgeLag: 0, kitchenLag: 0, memory: {} },
    { at: 111_000, bridgeLag: 9, kitchenLag: 2, memory: { kitchen: 100 * MIB } },
  ],
});

test('charts begin with the first round, count in seconds from it, and end with the last order', () => {
  expect(chartsOf(series).map(({ data }) => data)).toEqual([
    [
      [2.5, 12.5],
      [30, 50],
      [30, 50],
    ],
    [[11], [9], [2]],
    [[11], [100], [null], [null], [null]],
  ]);
  expect(faultTimes(series)).toEqual([{ name: 'pubsub-stopped', from: 10, to: 20 }]);
});

test('the page loads nothing, and has the library, the data and the verdicts in it', async () => {
  const page = await isolationPage(series);
  expect(page).not.toMatch(/<(script|link|img)[^>]*(src|href)=/);
  expect(page).toContain('var uPlot=');
  const content = /<script type="application\/json" id="content">(.*)<\/script>/.exec(page)?.[1];
  expect(JSON.parse(content ?? '')).toEqual({ charts: chartsOf(series), spans: faultTimes(series) });
  expect(page).toContain('Pub/Sub is stopped: it refuses connections');
  expect(page).toContain('<b class="over">not in time</b>');
});
