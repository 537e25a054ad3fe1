import type { Costs } from '../../../perf/pipeline/costs.ts';
import type { RateAt } from '../../../perf/pipeline/rate.ts';
import type { Sweeps } from '../../../perf/sweeps/sweep.ts';

export const someCosts: Costs = {
  explained: 0.95,
  totalUs: 100,
  cost_us_per_order: { postgres: 65, payment: 35 },
  rows: [
    { process: 'postgres', thread: 'all threads', stage: '', us: 65 },
    { process: 'payment', thread: 'slot 0', stage: 'store', us: 30 },
    { process: 'unexplained', thread: '', stage: '', us: 5 },
  ],
};

export const someRates: RateAt[] = [
  { atSeconds: 5, perSecond: 2_000, isWarm: false },
  { atSeconds: 10, perSecond: 3_900, isWarm: false },
  { atSeconds: 15, perSecond: 4_000, isWarm: true },
];

export const someSweeps: Sweeps = {
  slots: {
    title: 'Runtime by slots',
    x: 'slots',
    unit: 'messages/s',
    versus: 'an actor that does nothing',
    series: [
      {
        name: 'runtime',
        points: [
          { x: 1, rounds: [100] },
          { x: 2, rounds: [180, 190, 200] },
          { x: 4, rounds: [250] },
        ],
      },
    ],
    law: { lambda: 100, sigma: 0.1, kappa: 0.01, peak: 9.49 },
  },
  latency: {
    title: 'Latency by load',
    x: 'orders/s',
    unit: 'ms',
    versus: 'open loop',
    series: [
      {
        name: 'p50',
        points: [
          { x: 100, rounds: [1] },
          { x: 200, rounds: [2] },
        ],
      },
      { name: 'p99', points: [{ x: 100, rounds: [5] }] },
    ],
  },
};

export const flames = { payment: '<p class="a">x</p>' };
