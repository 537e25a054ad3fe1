// Makes the self-contained page of an isolation run: tables, and plots drawn by uPlot in the browser. Called by ../report.ts.

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { cases } from '../cases.ts';
import type { IsolationSeries } from '../series.ts';
import { BAR, mebibytes } from '../verdict.ts';
import { type Chart, chartsOf, type FaultTime, faultTimes } from './charts.ts';

const require = createRequire(import.meta.url);

/** One HTML document that needs nothing else. */
export async function isolationPage(series: IsolationSeries): Promise<string> {
  const library = require.resolve('uplot/dist/uPlot.iife.min.js');
  const [uplot, uplotStyle, style, draw] = await Promise.all([
    readFile(library, 'utf8'),
    readFile(require.resolve('uplot/dist/uPlot.min.css'), 'utf8'),
    readFile(new URL('page.css', import.meta.url), 'utf8'),
    readFile(new URL('draw.js', import.meta.url), 'utf8'),
  ]);
  const content: { charts: Chart[]; faults: FaultTime[] } = { charts: chartsOf(series), faults: faultTimes(series) };
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Ordermesh: isolation of the kitchen</title>
<style>${uplotStyle}${style}</style>
</head>
<body>
<h1>Does the kitchen notice the cloud?</h1>
<p>${escaped(introOf(series))}</p>
${caseTable(series)}
<div id="charts"></div>
<h2>Rounds</h2>
${roundTable(series)}
<script>${uplot}</script>
<script type="application/json" id="content">${JSON.stringify(content).replaceAll('<', '\\u003c')}</script>
<script>${draw}</script>
</body>
</html>
`;
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

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[], tag: string) =>
    `<tr>${cells.map((cell) => `<${tag}>${cell}</${tag}>`).join('')}</tr>`;
  return `<table><thead>${line(head, 'th')}</thead><tbody>${rows.map((row) => line(row, 'td')).join('\n')}</tbody></table>`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
