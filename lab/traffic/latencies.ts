// Counts latencies and tells their quantiles. Used by sender.ts.

/** Relative width of a bucket: a quantile is right within 2 %. */
const GROWTH = 1.02;
const SMALLEST_MS = 0.01;

export interface LatencySummary {
  count: number;
  p50Ms: number;
  p99Ms: number;
  maxMs: number;
}

/** A histogram with logarithmic buckets: constant memory however many values. Values are milliseconds. */
export function createLatencies() {
  const buckets: number[] = [];
  let count = 0;
  let maxMs = 0;

  function quantile(share: number): number {
    let left = Math.ceil(count * share);
    for (const [index, size] of buckets.entries()) {
      left -= size ?? 0;
      if (left <= 0) return Math.min(maxMs, SMALLEST_MS * GROWTH ** (index + 1));
    }
    return maxMs;
  }

  return {
    record(ms: number): void {
      const index = Math.max(0, Math.floor(Math.log(ms / SMALLEST_MS) / Math.log(GROWTH)));
      while (buckets.length <= index) buckets.push(0);
      buckets[index] = (buckets[index] ?? 0) + 1;
      count++;
      if (ms > maxMs) maxMs = ms;
    },
    summary(): LatencySummary {
      if (count === 0) return { count, p50Ms: 0, p99Ms: 0, maxMs: 0 };
      return { count, p50Ms: quantile(0.5), p99Ms: quantile(0.99), maxMs };
    },
  };
}
