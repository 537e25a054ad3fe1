// The report of a load of two seconds. Used by the tests of its page.

import type { LoadReport } from '../../../lab/load/load-run.ts';

const latency = { count: 90, meanMs: 3, p50Ms: 2, p90Ms: 10, p99Ms: 20, p999Ms: 30, maxMs: 40 };
const own = { cores: 0.95, loopDelayP99Ms: 1, lateP99Ms: 0.5 };
const second = { rate: 50, sentPerSecond: 50, failedPerSecond: 5, inFlight: 3, ...own };

export const someLoad: LoadReport = {
  sent: 95,
  accepted: 90,
  refused: { 503: 5 },
  retried: 0,
  unanswered: 0,
  latency,
  percentiles: [
    { percentile: 0, ms: 1 },
    { percentile: 90, ms: 10 },
    { percentile: 99.9, ms: 30 },
    { percentile: 100, ms: 40 },
  ],
  steps: [
    {
      rate: 50,
      seconds: 2,
      offeredPerSecond: 47.5,
      acceptedPerSecond: 45,
      latency,
      failed: 5,
      generator: own,
      bottleneck: 'it takes 0.95 of a core',
    },
  ],
  seconds: [
    { ...second, atS: 1, acceptedPerSecond: 90, p50Ms: 2, p99Ms: 20, maxMs: 40 },
    { ...second, atS: 2, acceptedPerSecond: 0, p50Ms: 0, p99Ms: 0, maxMs: 0 },
  ],
};
