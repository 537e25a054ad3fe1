// Compares the last report with an earlier one: `make perf-compare REPORT=old.json`.

import { readFile } from 'node:fs/promises';
import { programOptions, refuseOption } from '../../contracts/program-options.ts';
import type { Report } from '../report.ts';
import { compareReports, differenceLines } from './compare.ts';

const last = new URL('../report/report.json', import.meta.url).pathname;
const { values } = programOptions('perf-compare', {
  options: { before: { type: 'string', default: '' }, after: { type: 'string', default: last } },
});
const [before, after] = [
  await reportIn(values.before, 'give the earlier report: make perf-compare REPORT=old.json'),
  await reportIn(values.after, 'make the new report first: make perf'),
];
console.log(`before: ${values.before}, ${describe(before)}\nafter:  ${values.after}, ${describe(after)}\n`);
for (const line of differenceLines(compareReports(before, after))) console.log(line);
if (describe(before).replace(/.*on /, '') !== describe(after).replace(/.*on /, ''))
  console.log('\nThe reports are of different machines or versions of Node: compare ratios only.');

async function reportIn(file: string, fix: string): Promise<Report> {
  try {
    const report = JSON.parse(await readFile(file, 'utf8')) as Report;
    if (typeof report.figures === 'object') return report;
    return refuseOption('perf-compare', `${file} is no report of make perf; ${fix}`);
  } catch (error) {
    return refuseOption('perf-compare', `${file || 'no report'} cannot be read (${(error as Error).message}); ${fix}`);
  }
}

function describe({ measuredAt, machine }: Report): string {
  return `${measuredAt} on ${machine.cores} cores (${machine.model}), Node ${machine.node}`;
}
