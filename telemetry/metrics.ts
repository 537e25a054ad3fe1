import {
  AggregatorRegistry,
  collectDefaultMetrics,
  type MetricObjectWithValues,
  type MetricValue,
  Registry,
} from 'prom-client';

/** What one thread or process hands over for a common scrape: plain data, fit for `postMessage`. */
export type MetricsSnapshot = MetricObjectWithValues<MetricValue<string>>[];

/** Content type of the Prometheus text exposition format. */
export const metricsContentType = 'text/plain; version=0.0.4; charset=utf-8';

/** A registry with the process metrics of Node (`ordermesh_nodejs_…`, `ordermesh_process_…`). */
export function createProcessRegistry(role: string): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ role });
  collectDefaultMetrics({ register: registry, prefix: 'ordermesh_' });
  return registry;
}

/** Takes the values out of a registry, in a thread, for the main thread's scrape. */
export async function snapshot(registry: Registry): Promise<MetricsSnapshot> {
  return (await registry.getMetricsAsJSON()) as MetricsSnapshot;
}

/**
 * One scrape of several threads: counters and histograms are summed, gauges by their `aggregator`.
 * prom-client has no worker-thread aggregation yet (siimon/prom-client#401); its cluster aggregation works on plain snapshots.
 */
export async function mergedScrape(snapshots: MetricsSnapshot[]): Promise<string> {
  return AggregatorRegistry.aggregate(snapshots).metrics();
}
