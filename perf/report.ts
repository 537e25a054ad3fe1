// The measured figures and the report that has them. Benchmarks return figures, perf/main.ts writes the report.

import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, release, totalmem } from 'node:os';

/** One measured figure. A ratio comes from interleaved rounds of one run, so that drift of the machine cancels out. */
export interface Figure {
  value: number;
  unit: string;
  /** (max - min) / median over the rounds: how far to trust the value. */
  spread: number;
  /** What it is measured against, or how. */
  versus: string;
}

export type Figures = Record<string, Figure>;

export interface Report {
  machine: { cores: number; model: string; memoryGiB: number; kernel: string; node: string };
  measuredAt: string;
  figures: Figures;
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
    figures,
  };
}

/** Writes `report.json` for programs and `report.md` for people into `directory`. */
export async function writeReport(report: Report, directory: URL): Promise<void> {
  await mkdir(directory, { recursive: true });
  await writeFile(new URL('report.json', directory), `${JSON.stringify(report, null, 2)}\n`);
  await writeFile(new URL('report.md', directory), markdown(report));
}

function markdown({ machine, measuredAt, figures }: Report): string {
  const rows = Object.entries(figures).map(
    ([name, { value, unit, spread, versus }]) =>
      `| ${name} | ${value} | ${unit} | ±${Math.round(spread * 50)} % | ${versus} |`,
  );
  return [
    '# Performance report',
    '',
    `${measuredAt} · ${machine.cores} cores (${machine.model}) · ${machine.memoryGiB} GiB · Node ${machine.node}`,
    '',
    '| figure | value | unit | spread | measured against |',
    '| --- | ---: | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}

export function table(figures: Figures): string {
  const width = Math.max(...Object.keys(figures).map((name) => name.length));
  return Object.entries(figures)
    .map(
      ([name, { value, unit, versus }]) =>
        `${name.padEnd(width)}  ${String(value).padStart(9)} ${unit.padEnd(10)} ${versus}`,
    )
    .join('\n');
}
