import { expect, test } from 'vitest';
import { sweepCharts } from '../../../perf/page/charts.ts';
import { reportPage } from '../../../perf/page/page.ts';
import { createReport } from '../../../perf/report.ts';
import { figure } from '../../../perf/rounds.ts';
import { flames, someCosts, someRates, someSweeps } from './some-report.ts';

const report = createReport(
  {
    gateway_durable_vs_uws_ceiling: figure([0.7, 0.71, 0.72], 'ratio', 'a server <that> only answers', 3),
    validator_orders_per_second: figure([20_000, 39_000, 60_000], 'orders/s', 'a backlog'),
  },
  { costs: someCosts, sweeps: someSweeps, pipeline: someRates },
);

test('the page loads nothing and has the library, verdicts, costs, the law and the flame graphs in it', async () => {
  const page = await reportPage(report, flames);
  expect(page).not.toMatch(/<(script|link|img|iframe)[^>]* (src|href)=/);
  expect(page).toContain('var uPlot=');
  expect(page).toContain('<td>≥ 0.8</td><td><b class="fails">fails</b></td>');
  expect(page).toContain('<b class="undecided">undecided</b>');
  expect(page).toContain('a server &lt;that> only answers');
  expect(page).toContain('100 µs of processor time, of which the rows below name 95.0 %');
  expect(page).toContain('<td>payment</td><td>slot 0</td><td>store</td><td>30.0</td>');
  expect(page).toContain('<td>unexplained</td><td></td><td></td><td>5.0</td>');
  expect(page).toContain('<td>0.100</td><td>0.0100</td><td>9.5</td>');
  expect(page).toContain(
    '<summary>payment</summary><iframe loading="lazy" title="flame graph of payment" srcdoc="<p class=&quot;a&quot;>',
  );
});

test('a sweep is drawn with its rounds and its law, on one axis of all settings', () => {
  const [slots, latency] = sweepCharts(someSweeps);
  expect(slots?.lines).toEqual(['runtime', 'least', 'most', 'law']);
  const [xs, runtime, least, most, law] = slots?.data ?? [[]];
  const two = xs.indexOf(2);
  expect([runtime, least, most].map((line) => line?.[two])).toEqual([190, 180, 200]);
  expect(law?.[two]).toBeCloseTo((100 * 2) / (1 + 0.1 + 0.02));
  expect(xs.at(-1)).toBe(8);
  expect(runtime?.at(-1)).toBeNull();
  expect(latency).toMatchObject({
    lines: ['p50', 'p99'],
    data: [
      [100, 200],
      [1, 2],
      [5, null],
    ],
  });
});

test('a run of a few figures has a page too', async () => {
  const page = await reportPage(createReport({}), {});
  expect(page).not.toContain('What an order costs');
});
