// Arranges what was measured as charts. Used by page.ts.

import type { Chart } from '../../lab/plots/page.ts';
import { intervalOf } from '../figures/figure.ts';
import type { RateAt } from '../pipeline/rate.ts';
import { throughputOf } from '../sweeps/scalability-law.ts';
import { middleOf, type Sweep, type Sweeps } from '../sweeps/sweep.ts';

/** Points at which a fitted law is drawn, between the least and the greatest setting. */
const LAW_POINTS = 40;
/** The law is drawn this many times as far as was measured, so that its peak may come into view. */
const LAW_REACH = 2;

/** What the whole mesh carried, from the first order on. */
export function pipelineChart(rates: readonly RateAt[]): Chart {
  return {
    title: 'The whole mesh under full load: orders a second that reach the kitchen',
    x: 'seconds',
    logarithmic: false,
    lines: ['warming up', 'measured'],
    data: [
      rates.map(({ atSeconds }) => atSeconds),
      rates.map(({ isWarm, perSecond }) => (isWarm ? null : perSecond)),
      rates.map(({ isWarm, perSecond }) => (isWarm ? perSecond : null)),
    ],
  };
}

export function sweepCharts(sweeps: Sweeps): Chart[] {
  return Object.values(sweeps).map((sweep) => ({
    title: `${sweep.title}, ${sweep.unit}`,
    x: 'number',
    xName: sweep.x,
    logarithmic: false,
    ...linesOf(sweep),
  }));
}

/** The medians of each series; of a single one also how far its rounds reach, and its law. */
function linesOf({ series, law }: Sweep): Pick<Chart, 'lines' | 'data'> {
  const settings = series.flatMap(({ points }) => points.map(({ x }) => x));
  const end = Math.max(...settings) * LAW_REACH;
  const between =
    law === undefined ? [] : Array.from({ length: LAW_POINTS }, (_, n) => 1 + ((end - 1) * n) / (LAW_POINTS - 1));
  const xs = [...new Set([...settings, ...between])].sort((a, b) => a - b);
  const lines = series.map(({ name, points }) => ({
    name,
    at: new Map(points.map((point) => [point.x, middleOf(point)])),
  }));
  const [only, ...others] = series;
  if (only !== undefined && others.length === 0) {
    lines.push({ name: 'least', at: new Map(only.points.map(({ x, rounds }) => [x, intervalOf(rounds).low])) });
    lines.push({ name: 'most', at: new Map(only.points.map(({ x, rounds }) => [x, intervalOf(rounds).high])) });
  }
  if (law !== undefined) lines.push({ name: 'law', at: new Map(xs.map((x) => [x, throughputOf(law, x)])) });
  return {
    lines: lines.map(({ name }) => name),
    data: [xs, ...lines.map(({ at }) => xs.map((x) => at.get(x) ?? null))],
  };
}
