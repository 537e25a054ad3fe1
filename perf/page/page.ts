// Makes the page of a benchmark run. Called by ../report.ts.

import { readFile } from 'node:fs/promises';
import { escaped, plotPage, table } from '../../lab/plots/page.ts';
import { barText } from '../figures/bars.ts';
import type { CostRow, Costs } from '../pipeline/costs.ts';
import type { JudgedFigure, Report } from '../report.ts';
import type { Sweep } from '../sweeps/sweep.ts';
import { pipelineChart, sweepCharts } from './charts.ts';

/** A row of costs below this share of an order is shown with the others of its kind. */
const SHARE_SHOWN = 0.002;

/**
 * One HTML document that needs nothing else.
 * @param flames pages of flame graphs, by the name of the role
 */
export async function reportPage(report: Report, flames: Readonly<Record<string, string>>): Promise<string> {
  const { figures, costs, sweeps = {}, pipeline = [] } = report;
  return plotPage({
    title: 'Ordermesh: performance',
    above: `<h1>Performance</h1>
<p>${escaped(introOf(report))}</p>
${figureTable(figures)}
<p>Undecided: the rounds disagree by more than the value's distance to its bar.</p>
${costs === undefined ? '' : costSection(costs)}
${lawSection(sweeps)}
<h2>Plots</h2>`,
    charts: [...(pipeline.length > 0 ? [pipelineChart(pipeline)] : []), ...sweepCharts(sweeps)],
    below: flameSection(flames),
    style: await readFile(new URL('page.css', import.meta.url), 'utf8'),
  });
}

function introOf({ machine, measuredAt }: Report): string {
  const { cores, model, memoryGiB, kernel, node } = machine;
  return `${measuredAt} · ${cores} cores (${model}), ${memoryGiB} GiB, Linux ${kernel}, Node ${node}`;
}

function figureTable(figures: Record<string, JudgedFigure>): string {
  const head = ['figure', 'value', 'unit', 'rounds', 'spread', 'bar', 'verdict', 'measured against'];
  const rows = Object.entries(figures).map(([name, { value, unit, rounds, spread, bar, verdict, versus }]) => [
    name,
    value.toLocaleString('en'),
    unit,
    String(rounds.length),
    rounds.length > 1 ? `±${Math.round(spread * 50)} %` : '',
    bar === undefined ? '' : barText(bar),
    verdict === undefined ? '' : `<b class="${verdict}">${verdict}</b>`,
    `<small>${escaped(versus)}</small>`,
  ]);
  return table(head, rows);
}

function costSection({ explained, totalUs, cost_us_per_order: processes, rows }: Costs): string {
  const shown = rows.filter(({ us }) => Math.abs(us) >= totalUs * SHARE_SHOWN);
  const small = rows.length - shown.length;
  const smallUs = totalUs - shown.reduce((sum, { us }) => sum + us, 0);
  const share = (us: number) =>
    `<i class="share" style="width:${Math.max(0, (200 * us) / totalUs).toFixed(0)}px"></i> ${((100 * us) / totalUs).toFixed(1)} %`;
  const row = ({ process, thread, stage, us }: CostRow) =>
    [process, thread, stage, us.toFixed(1), share(us)].map(String);
  return `<h2>What an order costs</h2>
<p>${totalUs.toFixed(0)} µs of processor time, of which the rows below name ${(100 * explained).toFixed(1)} %.</p>
${table(
  ['process', 'µs', 'share'],
  Object.entries(processes)
    .sort(([, a], [, b]) => b - a)
    .map(([name, us]) => [name, us.toFixed(1), share(us)]),
)}
${table(
  ['process', 'thread', 'stage', 'µs', 'share'],
  [...shown.map(row), [`${small} smaller rows`, '', '', smallUs.toFixed(1), share(smallUs)]],
)}`;
}

function lawSection(sweeps: Record<string, Sweep>): string {
  const rows = Object.values(sweeps).flatMap(({ title, law }) => {
    if (law === undefined) return [];
    const { lambda, sigma, kappa, peak } = law;
    return [
      [escaped(title), lambda.toFixed(0), sigma.toFixed(3), kappa.toFixed(4), peak === null ? 'none' : peak.toFixed(1)],
    ];
  });
  if (rows.length === 0) return '';
  return `<h2>Universal scalability law</h2>
${table(['sweep', 'λ: one worker', 'σ: contention', 'κ: coherence', 'peak, workers'], rows)}`;
}

function flameSection(flames: Readonly<Record<string, string>>): string {
  const graphs = Object.entries(flames).map(
    ([role, page]) =>
      `<details><summary>${escaped(role)}</summary><iframe loading="lazy" title="flame graph of ${escaped(role)}" srcdoc="${quoted(page)}"></iframe></details>`,
  );
  return graphs.length === 0 ? '' : `<h2>Flame graphs of the roles under full load</h2>\n${graphs.join('\n')}`;
}

/** Inside of a quoted attribute. */
function quoted(html: string): string {
  return html.replaceAll('&', '&amp;').replaceAll('"', '&quot;');
}
