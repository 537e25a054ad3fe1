// Prints what a load measured. Used by load.ts.

import type { LoadReport, StepReport } from '../../lab/load/index.ts';
import { milliseconds, print, say, table } from '../output.ts';
import { printSendReport } from './send-report.ts';

/** Shown of the distribution; the JSON has all of HdrHistogram's steps. */
const PERCENTILE_MAX = 99.99;

export function printLoadReport(report: LoadReport): void {
  printSendReport(report);
  const shown = report.percentiles.filter(({ percentile }) => percentile > 0 && percentile <= PERCENTILE_MAX);
  if (shown.length > 0)
    print(
      `of the accepted ones: ${shown.map(({ percentile, ms }) => `${round(percentile)} % within ${milliseconds(ms)}`).join(', ')}`,
    );
  print(stepTable(report.steps));
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

/** A warning for each step that the generator itself limited: its figures are the generator's, not the gateway's. */
export function sayBottlenecks({ steps }: LoadReport): void {
  for (const { rate, bottleneck } of steps)
    if (bottleneck !== undefined)
      say(
        `at ${round(rate)} orders a second this load generator is a bottleneck (${bottleneck}): start several, or take another machine`,
      );
}

function round(value: number): number {
  return Number(value.toFixed(value < 100 ? 2 : 0));
}
