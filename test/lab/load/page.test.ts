import { expect, test } from 'vitest';
import { chartsOf } from '../../../lab/load/page/charts.ts';
import { loadPage } from '../../../lab/load/page/page.ts';
import { someLoad } from './some-load.ts';

test('a second without an accepted order is a gap in the latency, and 100 % is off the page', () => {
  const charts = chartsOf(someLoad);
  expect(charts.map(({ data, lines }) => data.length - lines.length)).toEqual([1, 1, 1, 1, 1]);
  expect(charts[1]?.data).toEqual([
    [1, 2],
    [2, null],
    [20, null],
    [40, null],
  ]);
  expect(charts.at(-1)?.data).toEqual([
    [0, 1, expect.closeTo(3)],
    [1, 10, 30],
  ]);
});

test('the page loads nothing, and has the library, the data, the knee and a bottleneck in it', async () => {
  const knee = { rate: 1_000, failsAt: 1_020, complete: true, bottleneck: 'it takes <0.9> of a core' };
  const page = await loadPage({ intro: 'over http', report: someLoad, knee });
  expect(page).not.toMatch(/<(script|link|img)[^>]*(src|href)=/);
  expect(page).toContain('var uPlot=');
  const content = /<script type="application\/json" id="content">(.*)<\/script>/.exec(page)?.[1];
  expect(JSON.parse(content ?? '')).toEqual({ charts: chartsOf(someLoad), spans: [] });
  expect(page).toContain(
    '<b>1000 orders a second</b> held, 1020 did not. The generator was the bottleneck: it takes &lt;0.9>',
  );
  expect(page).toContain('<b class="bottleneck">bottleneck: it takes 0.95 of a core</b>');
  expect(page).toContain('5 refused with 503');
});
