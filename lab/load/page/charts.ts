// Arranges the figures of a load as charts. Used by page.ts.

import type { Chart } from '../../plots/page.ts';
import type { LoadReport } from '../load-run.ts';

export function chartsOf({ seconds, percentiles }: Pick<LoadReport, 'seconds' | 'percentiles'>): Chart[] {
  const at = seconds.map(({ atS }) => atS);
  const overTime = { x: 'seconds', logarithmic: false } as const;
  // 100 % is infinitely far to the right.
  const points = percentiles.filter(({ percentile }) => percentile < 100);
  // A logarithmic axis has no 0: a second without an accepted order is a gap.
  const latency = (value: number) => (value > 0 ? value : null);
  return [
    {
      ...overTime,
      title: 'Orders a second',
      lines: ['rate', 'sent', 'accepted', 'failed'],
      data: [
        at,
        seconds.map(({ rate }) => rate),
        seconds.map(({ sentPerSecond }) => sentPerSecond),
        seconds.map(({ acceptedPerSecond }) => acceptedPerSecond),
        seconds.map(({ failedPerSecond }) => failedPerSecond),
      ],
    },
    {
      ...overTime,
      title: 'Latency from when an order was due, ms',
      logarithmic: true,
      lines: ['p50', 'p99', 'most'],
      data: [
        at,
        seconds.map(({ p50Ms }) => latency(p50Ms)),
        seconds.map(({ p99Ms }) => latency(p99Ms)),
        seconds.map(({ maxMs }) => latency(maxMs)),
      ],
    },
    {
      ...overTime,
      title: 'Orders in flight',
      lines: ['in flight'],
      data: [at, seconds.map(({ inFlight }) => inFlight)],
    },
    {
      ...overTime,
      title: 'The generator: cores',
      lines: ['cores'],
      data: [at, seconds.map(({ cores }) => cores)],
    },
    {
      title: 'Latency by percentile, ms',
      x: 'percentile',
      logarithmic: true,
      lines: ['latency'],
      data: [points.map(({ percentile }) => Math.log10(100 / (100 - percentile))), points.map(({ ms }) => latency(ms))],
    },
  ];
}
