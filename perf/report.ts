// The report of a benchmark run. Benchmarks return figures, main.ts makes the report of them, write-report.ts writes it.

import { availableParallelism, cpus, release, totalmem } from 'node:os';
import { type Bar, bars, barText, type Verdict, verdictOf } from './figures/bars.ts';
import type { Figure, Figures } from './figures/figure.ts';
import type { Costs } from './pipeline/costs.ts';
import type { RateAt } from './pipeline/rate.ts';
import type { Sweeps } from './sweeps/sweep.ts';

export type { Figure, Figures } from './figures/figure.ts';

/** A figure as the report has it. */
export interface JudgedFigure extends Figure {
  bar?: Bar;
  verdict?: Verdict;
}

/** What a run measured beside figures. */
export interface Details {
  /** Of an order, while the whole mesh is busy. */
  costs?: Costs;
  sweeps?: Sweeps;
  /** What the whole mesh carried, over time. */
  pipeline?: readonly RateAt[];
}

export interface Report extends Details {
  machine: { cores: number; model: string; memoryGiB: number; kernel: string; node: string };
  measuredAt: string;
  figures: Record<string, JudgedFigure>;
}

export function createReport(figures: Figures, details: Details = {}): Report {
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
    ...details,
  };
}

function judged(name: string, figure: Figure): JudgedFigure {
  const bar = bars[name];
  return bar === undefined ? figure : { ...figure, bar, verdict: verdictOf(figure, bar) };
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
