// Arranges the series of an isolation run as charts. Used by page.ts.

import type { Chart, Span } from '../../../lab/plots/page.ts';
import { QUIET } from '../plan.ts';
import { watchedRoles } from '../sampler.ts';
import type { IsolationSeries } from '../series.ts';

const MIB = 2 ** 20;
const overTime = { x: 'seconds', logarithmic: false } as const;

export function chartsOf({ rounds, latency, samples }: IsolationSeries): Chart[] {
  const start = rounds[0]?.from ?? 0;
  // The time before the first round is warm-up.
  const points = latency.filter(({ at }) => at >= start);
  // All charts end with the load.
  const end = points.at(-1)?.at ?? start;
  const seen = samples.filter(({ at }) => at >= start && at <= end);
  const seconds = (all: readonly { at: number }[]) => all.map(({ at }) => (at - start) / 1_000);
  return [
    {
      ...overTime,
      title: 'Kitchen: from 202 to the ticket on the display, ms',
      lines: ['p99', 'p50'],
      data: [seconds(points), points.map(({ p99Ms }) => p99Ms), points.map(({ p50Ms }) => p50Ms)],
    },
    {
      ...overTime,
      title: 'Lag: records of validated-orders that are not committed',
      lines: ['bridge', 'kitchen'],
      data: [seconds(seen), seen.map(({ bridgeLag }) => bridgeLag), seen.map(({ kitchenLag }) => kitchenLag)],
    },
    {
      ...overTime,
      title: 'Resident memory, MiB',
      lines: [...watchedRoles],
      data: [
        seconds(seen),
        ...watchedRoles.map((role) =>
          seen.map(({ memory }) => {
            const bytes = memory[role];
            return bytes === undefined ? null : bytes / MIB;
          }),
        ),
      ],
    },
  ];
}

/** When each case's fault was in force, in seconds since the first round. */
export function faultTimes({ rounds }: IsolationSeries): Span[] {
  const start = rounds[0]?.from ?? 0;
  return rounds
    .filter(({ name }) => name !== QUIET)
    .map(({ name, from, to }) => ({ name, from: (from - start) / 1_000, to: (to - start) / 1_000 }));
}
