// Creates metrics registries, and merges those of several threads into one scrape. Used by the roles and the runtime's threads.

import {
  AggregatorRegistry,
  Counter,
  collectDefaultMetrics,
  type MetricObjectWithValues,
  type MetricValue,
  Registry,
} from 'prom-client';
import { droppedLogLines } from './logger.ts';
import { registerFetchSizes, registerStages } from './stages/stage-metrics.ts';

/** What one thread or process hands over for a common scrape: plain data, fit for `postMessage`. */
export type MetricsSnapshot = MetricObjectWithValues<MetricValue<string>>[];

/** Content type of the Prometheus text exposition format. */
export const metricsContentType = 'text/plain; version=0.0.4; charset=utf-8';

const misnamed = ['active_handles', 'active_requests', 'active_resources'].map(
  (name) => `ordermesh_nodejs_${name}_total`,
);

/** The name of the main thread in metrics and views. */
export const mainThread = 'main';

/** A registry with the process metrics of Node (`ordermesh_nodejs_…`, `ordermesh_process_…`) and the stages of the main thread. */
export function createProcessRegistry(role: string): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ role });
  collectDefaultMetrics({ register: registry, prefix: 'ordermesh_' });
  // Gauges with the names of counters. The same figures are in the metrics without `_total`, by type as well.
  for (const name of misnamed) registry.removeSingleMetric(name);
  registerStages(registry, mainThread);
  registerFetchSizes(registry, mainThread);
  new Counter({
    name: 'ordermesh_log_lines_dropped_total',
    help: 'Log lines that were dropped because standard error was not read.',
    registers: [registry],
    collect() {
      this.reset();
      this.inc(droppedLogLines());
    },
  });
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
