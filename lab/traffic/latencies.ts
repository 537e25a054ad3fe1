// Counts latencies in an HdrHistogram and tells their percentiles. Used by sender.ts and by lab/load/.

import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';

/** The histogram of node:perf_hooks is HdrHistogram's C library. It counts whole microseconds, here right within 0.1 %. */
const FIGURES = 3;
const MICROSECONDS = 1_000;
/** Longer than any time for which a sender tries; a longer latency counts as this one. */
const LONGEST_MS = 3_600_000;

export interface LatencySummary {
  count: number;
  meanMs: number;
  p50Ms: number;
  p90Ms: number;
  p99Ms: number;
  p999Ms: number;
  maxMs: number;
}

/** One point of the distribution: this percentage of the values is at most `ms`. */
export interface PercentilePoint {
  percentile: number;
  ms: number;
}

/** Constant memory (some 200 KB) however many values. Values are milliseconds. */
export class Latencies {
  readonly #histogram: RecordableHistogram = createHistogram({
    lowest: 1,
    highest: LONGEST_MS * MICROSECONDS,
    figures: FIGURES,
  });
  #maxMs = 0;

  record(ms: number): void {
    const counted = Math.min(ms, LONGEST_MS);
    // The histogram takes no 0: less than a microsecond is one.
    this.#histogram.record(Math.max(1, Math.round(counted * MICROSECONDS)));
    if (counted > this.#maxMs) this.#maxMs = counted;
  }

  /** @param percentile above 0, at most 100. @returns 0 when nothing was counted */
  percentileMs(percentile: number): number {
    if (this.#histogram.count === 0) return 0;
    return Math.min(this.#maxMs, this.#histogram.percentile(percentile) / MICROSECONDS);
  }

  summary(): LatencySummary {
    const { count, mean } = this.#histogram;
    return {
      count,
      meanMs: count === 0 ? 0 : mean / MICROSECONDS,
      p50Ms: this.percentileMs(50),
      p90Ms: this.percentileMs(90),
      p99Ms: this.percentileMs(99),
      p999Ms: this.percentileMs(99.9),
      maxMs: this.#maxMs,
    };
  }

  /** The distribution in HdrHistogram's steps, each of which halves what is left to 100 %. */
  distribution(): PercentilePoint[] {
    if (this.#histogram.count === 0) return [];
    return [...this.#histogram.percentiles].map(([percentile, microseconds]) => ({
      percentile,
      ms: Math.min(this.#maxMs, microseconds / MICROSECONDS),
    }));
  }

  /** Forgets everything. */
  reset(): void {
    this.#histogram.reset();
    this.#maxMs = 0;
  }
}
