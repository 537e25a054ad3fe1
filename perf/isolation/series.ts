// Gathers everything that an isolation run measured, for isolation.json and its page. Called by report.ts.

import { createReport } from '../report.ts';
import type { ShownOrder } from './load.ts';
import { latencySeries, type RoundFigures } from './measure.ts';
import type { Sample } from './sampler.ts';
import { BAR, type Figures } from './verdict.ts';

/** Wide enough that a 99th percentile means something at the rates of this program. */
const INTERVAL_MS = 5_000;

export interface Measured {
  rate: number;
  seconds: number;
  rounds: readonly RoundFigures[];
  figures: Figures;
  orders: readonly ShownOrder[];
  samples: readonly Sample[];
}

/** The content of isolation.json. Times in milliseconds since 1970. */
export type IsolationSeries = ReturnType<typeof seriesOf>;

export function seriesOf({ rate, seconds, rounds, figures, orders, samples }: Measured) {
  const { machine, measuredAt } = createReport({});
  return {
    machine,
    measuredAt,
    rate,
    seconds,
    bar: BAR,
    ...figures,
    rounds,
    latency: latencySeries(orders, INTERVAL_MS),
    samples,
  };
}
