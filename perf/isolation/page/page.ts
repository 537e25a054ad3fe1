// Makes the page of an isolation run. Called by ../report.ts.

import { readFile } from 'node:fs/promises';
import { escaped, plotPage, table } from '../../../lab/plots/page.ts';
import { cases } from '../cases.ts';
import type { IsolationSeries } from '../series.ts';
import { BAR, mebibytes } from '../verdict.ts';
import { chartsOf, faultTimes } from './charts.ts';

/** One HTML document that needs nothing else. */
export async function isolationPage(series: IsolationSeries): Promise<string> {
  return plotPage({
    title: 'Ordermesh: isolation of the kitchen',
    above: `<h1>Does the kitchen notice the cloud?</h1>
<p>${escaped(introOf(series))}</p>
${caseTable(series)}`,
    below: `<h2>Rounds</h2>
${roundTable(series)}`,
    charts: chartsOf(series),
    spans: faultTimes(series),
    style: await readFile(new URL('page.css', import.meta.url), 'utf8'),
  });
}

function introOf({ machine, measuredAt, rate, seconds }: IsolationSeries): string {
  const { cores, model, memoryGiB, node } = machine;
  return (
    `${measuredAt} · ${rate} orders a second through every role · rounds of ${seconds} s · ` +
    `${cores} cores (${model}), ${memoryGiB} GiB, Node ${node}`
  );
}

function caseTable({ quiet, cases: figures }: IsolationSeries): string {
  const head = ['case', 'kitchen p99', 'times quiet', `within ${BAR}?`, 'bridge lag, most', 'drained after'];
  const rows = Object.entries(figures).map(([name, each]) => [
    `<i class="fault ${name}"></i> ${escaped(cases.find((one) => one.name === name)?.title ?? name)}`,
    `${each.kitchenP99Ms.toFixed(0)} ms`,
    `${each.versusQuiet.toFixed(2)} ±${each.roundsDiffer.toFixed(2)}`,
    `<b class="${each.isolation.replace(' ', '-')}">${each.isolation}</b>`,
    `${each.bridgeLagMax} records`,
    each.drainedS === null ? '<b class="over">not in time</b>' : `${each.drainedS.toFixed(1)} s`,
  ]);
  return table(head, [['quiet', `${quiet.kitchenP99Ms.toFixed(0)} ms`, '1', '', '', ''], ...rows]);
}

function roundTable({ rounds }: IsolationSeries): string {
  const start = rounds[0]?.from ?? 0;
  const head = ['round', 'from', 'p50', 'p99', 'tickets', 'bridge lag, most', 'drained after', 'kitchen', 'bridge'];
  const rows = rounds.map(({ name, from, p50Ms, p99Ms, tickets, bridgeLagMax, drainedS, memoryMax }) => [
    escaped(name),
    `${((from - start) / 1_000).toFixed(0)} s`,
    `${p50Ms} ms`,
    `${p99Ms} ms`,
    String(tickets),
    String(bridgeLagMax),
    drainedS === undefined ? '' : drainedS === null ? 'not in time' : `${drainedS.toFixed(1)} s`,
    mebibytes(memoryMax.kitchen ?? 0),
    mebibytes(memoryMax.bridge ?? 0),
  ]);
  return table(head, rows);
}
