// Writes the report of a benchmark run. Called by main.ts.

import { mkdir, writeFile } from 'node:fs/promises';
import { barText } from './figures/bars.ts';
import { reportPage } from './page/page.ts';
import type { Report } from './report.ts';

/**
 * Writes `report.json` for programs, `index.html` for people, and `report.md` for what shows no HTML.
 * @param flames pages of flame graphs, by the name of the role
 */
export async function writeReport(
  report: Report,
  directory: URL,
  flames: Readonly<Record<string, string>> = {},
): Promise<void> {
  await mkdir(directory, { recursive: true });
  await writeFile(new URL('report.json', directory), `${JSON.stringify(report, null, 2)}\n`);
  await writeFile(new URL('report.md', directory), markdown(report));
  await writeFile(new URL('index.html', directory), await reportPage(report, flames));
}

function markdown({ machine, measuredAt, figures }: Report): string {
  const rows = Object.entries(figures).map(
    ([name, { value, unit, spread, rounds, bar, verdict = '', versus }]) =>
      `| ${name} | ${value} | ${unit} | ±${Math.round(spread * 50)} % of ${rounds.length} | ${bar === undefined ? '' : barText(bar)} | ${verdict} | ${versus} |`,
  );
  return [
    '# Performance report',
    '',
    `${measuredAt} · ${machine.cores} cores (${machine.model}) · ${machine.memoryGiB} GiB · Node ${machine.node}`,
    '',
    '| figure | value | unit | spread, rounds | bar | verdict | measured against |',
    '| --- | ---: | --- | --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}
