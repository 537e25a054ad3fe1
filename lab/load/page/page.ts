// Makes the page of a load. Used by `ordermesh load --html`.

import { escaped, plotPage, table } from '../../plots/page.ts';
import type { Knee } from '../knee.ts';
import type { LoadReport } from '../load-run.ts';
import type { StepReport } from '../tally.ts';
import { chartsOf } from './charts.ts';

export interface LoadPageContent {
  /** What was loaded, and how: one line for the reader. */
  intro: string;
  report: LoadReport;
  knee?: Knee;
}

const style = '.bottleneck { color: var(--bad); }';

/** One HTML document that needs nothing else. */
export function loadPage({ intro, report, knee }: LoadPageContent): Promise<string> {
  return plotPage({
    title: 'Ordermesh: load on a gateway',
    above: `<h1>Load on a gateway</h1>
<p>${escaped(intro)}</p>
${knee === undefined ? '' : `<p id="knee">${kneeText(knee)}</p>`}
${summary(report)}
<h2>Steps</h2>
${stepTable(report.steps)}`,
    charts: chartsOf(report),
    style,
  });
}

function kneeText({ rate, failsAt, complete, bottleneck }: Knee): string {
  const beyond = failsAt === null ? 'no rate failed' : `${failsAt.toFixed(0)} did not`;
  const until = complete ? '' : ' The time was up before the two were close.';
  const whose = bottleneck === undefined ? '' : ` The generator was the bottleneck: ${escaped(bottleneck)}.`;
  return `Knee: <b>${rate.toFixed(0)} orders a second</b> held, ${beyond}.${until}${whose}`;
}

function summary({ sent, accepted, refused, retried, unanswered, latency }: LoadReport): string {
  const refusals = Object.entries(refused).map(([status, count]) => `${count} refused with ${status}`);
  const counts = [
    `${sent} sent`,
    `${accepted} accepted`,
    ...refusals,
    `${retried} retries`,
    `${unanswered} without an answer`,
  ];
  const percentiles = `p50 ${ms(latency.p50Ms)}, p90 ${ms(latency.p90Ms)}, p99 ${ms(latency.p99Ms)}, p99.9 ${ms(latency.p999Ms)}, most ${ms(latency.maxMs)}`;
  return `<p>${escaped(counts.join(', '))}. From when an order was due to its 202: ${percentiles}.</p>`;
}

function stepTable(steps: readonly StepReport[]): string {
  const head = ['rate', 'offered/s', 'accepted/s', 'failed', 'p50', 'p99', 'p99.9', 'most', 'generator'];
  const rows = steps.map(({ rate, offeredPerSecond, acceptedPerSecond, failed, latency, generator, bottleneck }) => [
    rate.toFixed(0),
    offeredPerSecond.toFixed(0),
    acceptedPerSecond.toFixed(0),
    String(failed),
    ms(latency.p50Ms),
    ms(latency.p99Ms),
    ms(latency.p999Ms),
    ms(latency.maxMs),
    bottleneck === undefined
      ? `${generator.cores.toFixed(2)} of a core`
      : `<b class="bottleneck">bottleneck: ${escaped(bottleneck)}</b>`,
  ]);
  return table(head, rows);
}

function ms(value: number): string {
  return `${value < 10 ? value.toFixed(1) : value.toFixed(0)} ms`;
}
