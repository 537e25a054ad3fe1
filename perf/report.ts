// The measured figures and the report that has them. Benchmarks return figures, perf/main.ts writes the report.

import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, release, totalmem } from 'node:os';
import { type Bar, bars, barText, type Verdict, verdictOf } from './figures/bars.ts';
import type { Figure, Figures } from './figures/figure.ts';

export type { Figure, Figures } from './figures/figure.ts';

/** A figure as the report has it. */
export interface JudgedFigure extends Figure {
  bar?: Bar;
  verdict?: Verdict;
}

export interface Report {
  machine: { cores: number; model: string; memoryGiB: number; kernel: string; node: string };
  measuredAt: string;
  figures: Record<string, JudgedFigure>;
}

export function createReport(figures: Figures): Report {
  return {
    machine: {
      cores: availableParallelism(),
      model: cpus()[0]?.model ?? 'unknown',
      memoryGiB: Math.round(totalmem() / 2 ** 30),
      kernel: release(),
      node: process.version,
    },
    measuredAt: new Date().toISOString(),
    figures: Object.fromEntries(Object.entries(figures).map(([name, figure]) => [name, judged(name, figure)])),
  };
}

function judged(name: string, figure: Figure): JudgedFigure {
  const bar = bars[name];
  return bar === undefined ? figure : { ...figure, bar, verdict: verdictOf(figure, bar) };
}

/** Writes `report.json` for programs and `report.md` for people into `directory`. */
export async function writeReport(report: Report, directory: URL): Promise<void> {
  await mkdir(directory, { recursive: true });
  await writeFile(new URL('report.json', directory), `${JSON.stringify(report, null, 2)}\n`);
  await writeFile(new URL('report.md', directory), markdown(report));
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

export function table({ figures }: Report): string {
  const width = Math.max(...Object.keys(figures).map((name) => name.length));
  return Object.entries(figures)
    .map(([name, { value, unit, bar, verdict, versus }]) => {
      const judgement = bar === undefined ? '' : `${verdict}: ${barText(bar)}`;
      return `${name.padEnd(width)}  ${String(value).padStart(9)} ${unit.padEnd(10)} ${judgement.padEnd(18)} ${versus}`;
    })
    .join('\n');
}
