// Prints what a load measured. Used by load.ts.

import type { Knee, StepReport } from '../../lab/load/index.ts';
import { milliseconds, print, say, table } from '../output.ts';
import type { LoadOutcome } from './load-work.ts';
import { printSendReport } from './send-report.ts';

/** Shown of the distribution; the JSON has all of HdrHistogram's steps. */
const PERCENTILE_MAX = 99.99;

export function printLoadReport({ report, knee }: LoadOutcome): void {
  printSendReport(report);
  const shown = report.percentiles.filter(({ percentile }) => percentile > 0 && percentile <= PERCENTILE_MAX);
  if (shown.length > 0)
    print(
      `of the accepted ones: ${shown.map(({ percentile, ms }) => `${round(percentile)} % within ${milliseconds(ms)}`).join(', ')}`,
    );
  print(stepTable(report.steps));
  if (knee !== undefined) print(kneeLine(knee));
}

function kneeLine({ rate, failsAt, complete }: Knee): string {
  const until = complete ? '' : '; the time was up before the two were close';
  if (rate === 0) return 'no rate held';
  const beyond = failsAt === null ? 'no rate failed' : `${Math.round(failsAt)} did not`;
  return `knee: ${Math.round(rate)} orders a second held, ${beyond}${until}`;
}

function stepTable(steps: readonly StepReport[]): string {
  const header = [
    'rate',
    'offered/s',
    'accepted/s',
    'failed',
    'p50',
    'p99',
    'p99.9',
    'most',
    'own cores',
    'sent late, p99',
  ];
  return table(
    header,
    steps.map(({ rate, offeredPerSecond, acceptedPerSecond, failed, latency, generator }) => [
      round(rate),
      Math.round(offeredPerSecond),
      Math.round(acceptedPerSecond),
      failed,
      milliseconds(latency.p50Ms),
      milliseconds(latency.p99Ms),
      milliseconds(latency.p999Ms),
      milliseconds(latency.maxMs),
      generator.cores.toFixed(2),
      milliseconds(generator.lateP99Ms),
    ]),
  );
}

/** Warns where the generator itself limited the load: such figures are the generator's, not the gateway's. */
export function sayBottlenecks({ report: { steps }, knee }: LoadOutcome): void {
  const what = 'this load generator is a bottleneck';
  const instead = 'start several, or take another machine or transport';
  // The steps of a ramp go beyond every limit; only where it ended matters.
  if (knee?.bottleneck !== undefined)
    say(`at the knee ${what} (${knee.bottleneck}): the gateway may hold more; ${instead}`);
  if (knee !== undefined) return;
  for (const { rate, bottleneck } of steps)
    if (bottleneck !== undefined) say(`at ${round(rate)} orders a second ${what} (${bottleneck}): ${instead}`);
}

function round(value: number): number {
  return Number(value.toFixed(value < 100 ? 2 : 0));
}
