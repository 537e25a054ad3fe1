// A histogram of latencies, made for the hot path. Used by metrics.ts.

import type { Metric, Registry } from 'prom-client';

/** Upper bounds of the buckets, in milliseconds. */
const boundsMs = [1, 2, 3, 5, 7.5, 10, 15, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000];

/**
 * A histogram whose `observe` is a few comparisons: the hot path calls it for every order, and the histogram of prom-client looks up
 * its labels by a hashed key each time. The registry gets the values in prom-client's form when Prometheus scrapes.
 */
export class LatencyHistogram {
  readonly #counts = new Float64Array(boundsMs.length + 1);
  #sumMs = 0;

  observe(elapsedMs: number): void {
    let bucket = 0;
    while (bucket < boundsMs.length && elapsedMs > (boundsMs[bucket] as number)) bucket++;
    this.#counts[bucket] = (this.#counts[bucket] as number) + 1;
    this.#sumMs += elapsedMs;
  }

  register(registry: Registry, name: string, help: string): void {
    const metric = {
      name,
      get: async () => ({ name, help, type: 'histogram', aggregator: 'sum', values: this.#values(name) }),
      reset: () => this.#reset(),
    };
    registry.registerMetric(metric as unknown as Metric);
  }

  #reset(): void {
    this.#counts.fill(0);
    this.#sumMs = 0;
  }

  #values(name: string) {
    let count = 0;
    const buckets = boundsMs.map((ms, bucket) => {
      count += this.#counts[bucket] as number;
      return { metricName: `${name}_bucket`, labels: { le: ms / 1_000 }, value: count };
    });
    count += this.#counts[boundsMs.length] as number;
    return [
      ...buckets,
      { metricName: `${name}_bucket`, labels: { le: '+Inf' }, value: count },
      { metricName: `${name}_sum`, labels: {}, value: this.#sumMs / 1_000 },
      { metricName: `${name}_count`, labels: {}, value: count },
    ];
  }
}
