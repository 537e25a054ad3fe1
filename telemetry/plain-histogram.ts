// A histogram made for hot paths. Used by the gateway's metrics, the sizes of batches and the ages of orders.

import type { Metric, Registry } from 'prom-client';

/**
 * A histogram whose `observe` is a few comparisons: the histogram of prom-client looks up its labels by a hashed key each time. The registry
 * gets the values in prom-client's form when Prometheus scrapes.
 */
export class PlainHistogram {
  readonly #bounds: readonly number[];
  readonly #unit: number;
  readonly #counts: Float64Array;
  #sum = 0;

  /**
   * @param bounds upper bounds of the buckets, in what `observe` is given
   * @param unit how many of these make one of the metric's unit: 1,000 for milliseconds that are shown as seconds
   */
  constructor(bounds: readonly number[], unit = 1) {
    this.#bounds = bounds;
    this.#unit = unit;
    this.#counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number): void {
    const bounds = this.#bounds;
    let bucket = 0;
    while (bucket < bounds.length && value > (bounds[bucket] as number)) bucket++;
    this.#counts[bucket] = (this.#counts[bucket] as number) + 1;
    this.#sum += value;
  }

  register(registry: Registry, name: string, help: string, labels: Record<string, string> = {}): void {
    const metric = {
      name,
      get: async () => ({ name, help, type: 'histogram', aggregator: 'sum', values: this.#values(name, labels) }),
      reset: () => this.#reset(),
    };
    registry.registerMetric(metric as unknown as Metric);
  }

  #reset(): void {
    this.#counts.fill(0);
    this.#sum = 0;
  }

  #values(name: string, labels: Record<string, string>) {
    let count = 0;
    const buckets = this.#bounds.map((bound, bucket) => {
      count += this.#counts[bucket] as number;
      return { metricName: `${name}_bucket`, labels: { ...labels, le: bound / this.#unit }, value: count };
    });
    count += this.#counts[this.#bounds.length] as number;
    return [
      ...buckets,
      { metricName: `${name}_bucket`, labels: { ...labels, le: '+Inf' }, value: count },
      { metricName: `${name}_sum`, labels: { ...labels }, value: this.#sum / this.#unit },
      { metricName: `${name}_count`, labels: { ...labels }, value: count },
    ];
  }
}
