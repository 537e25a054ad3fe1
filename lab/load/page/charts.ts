// Arranges the figures of a load as charts. Used by page.ts; draw.js draws them in the browser.

import type { LoadReport } from '../load-run.ts';

export interface Chart {
  title: string;
  /** What the horizontal axis counts: seconds of the load, or decades of a percentile (1 is 90 %, 2 is 99 %). */
  x: 'seconds' | 'percentile';
  /** A logarithmic axis, for latencies, whose tail is far from their middle. */
  logarithmic: boolean;
  /** Names of the lines. */
  lines: string[];
  /** Horizontal positions, then the values of each line. A gap is null. */
  data: [number[], ...(number | null)[][]];
}

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
