// Writes what an isolation run measured: the last line, the table, the series and the page. Called by main.ts.

import { mkdir, writeFile } from 'node:fs/promises';
import type { AuditCounts } from '../../audit/index.ts';
import { isolationPage } from './page/page.ts';
import { type Measured, seriesOf } from './series.ts';
import { type Figures, mebibytes } from './verdict.ts';

/** Writes `isolation.json` for programs and `isolation.html` for people. */
export async function writeIsolation(directory: URL, measured: Measured): Promise<void> {
  const series = seriesOf(measured);
  await mkdir(directory, { recursive: true });
  await writeFile(new URL('isolation.json', directory), `${JSON.stringify(series)}\n`);
  await writeFile(new URL('isolation.html', directory), await isolationPage(series));
}

/** The last line of the program, as the contract has it; `isolation` and `versusQuiet` say how each case was judged. */
export function lastLine({ quiet, cases }: Figures, counts: AuditCounts): string {
  return JSON.stringify({
    quiet: { kitchenP99Ms: round(quiet.kitchenP99Ms) },
    cases: Object.fromEntries(
      Object.entries(cases).map(([name, { kitchenP99Ms, bridgeLagMax, drainedS, versusQuiet, isolation }]) => [
        name,
        {
          kitchenP99Ms: round(kitchenP99Ms),
          bridgeLagMax,
          drainedS: drainedS === null ? null : round(drainedS),
          versusQuiet: round(versusQuiet, 3),
          isolation,
        },
      ]),
    ),
    ...counts,
  });
}

/** The figures in words, for a person. */
export function figureLines({ quiet, cases, memory }: Figures): string[] {
  return [
    `quiet: 202 to ticket p99 ${round(quiet.kitchenP99Ms)} ms`,
    ...Object.entries(cases).map(
      ([name, { kitchenP99Ms, versusQuiet, roundsDiffer, isolation, bridgeLagMax, drainedS }]) =>
        `${name}: p99 ${round(kitchenP99Ms)} ms, ${versusQuiet.toFixed(2)} ±${roundsDiffer.toFixed(2)} times quiet: ${isolation}; ` +
        `bridge at most ${bridgeLagMax} records behind; drained ${drainedS === null ? 'not in time' : `after ${round(drainedS)} s`}`,
    ),
    ...Object.entries(memory).map(
      ([role, { firstBytes, lastBytes }]) =>
        `memory of ${role}: at most ${mebibytes(firstBytes)} in the first third of the rounds, ${mebibytes(lastBytes)} in the last`,
    ),
  ];
}

function round(value: number, digits = 1): number {
  return Number(value.toFixed(digits));
}
