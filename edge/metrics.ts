import { Counter, Gauge, Registry } from 'prom-client';
import type { Forwarder } from './forwarder/forwarder.ts';
import { frameCounts } from './region-frames.ts';
import type { StatusKeeper } from './status.ts';

/** The metrics of the agent, in addition to those of the ingress. Each scrape reads the current values. */
export function edgeMetrics(forwarder: Forwarder, status: StatusKeeper): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ role: 'edge' });
  const registers = [registry];
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  const counter = (name: string, help: string, read: () => number) =>
    new Counter({
      name,
      help,
      registers,
      collect() {
        this.reset();
        this.inc(read());
      },
    });
  gauge('ordermesh_edge_unsent_orders', 'Orders that no region has.', () => status.counts.unsent);
  gauge('ordermesh_edge_refused_orders', 'Orders that the region refused for good.', () => status.counts.refused);
  gauge(
    'ordermesh_edge_confirmed_orders',
    'Orders that a region has, kept for the replay window.',
    () => status.counts.confirmed,
  );
  gauge(
    'ordermesh_edge_replaying_orders',
    'Confirmed orders to be sent again to another region.',
    () => status.counts.replaying,
  );
  gauge('ordermesh_edge_held_back_orders', 'Orders that alone do not get through.', () => forwarder.held.length);
  gauge('ordermesh_edge_oldest_unsent_seconds', 'Age of the oldest order that no region has.', () => {
    const { oldestUnsentAt } = status.counts;
    return oldestUnsentAt === null ? 0 : Math.max(0, (Date.now() - oldestUnsentAt) / 1_000);
  });
  gauge('ordermesh_edge_spool_bytes', 'Bytes of the spool in use.', () => status.counts.bytes);
  gauge('ordermesh_edge_spool_bytes_max', 'Quota of the spool.', () => status.counts.bytesMax);
  gauge('ordermesh_edge_disk_free_bytes', 'Free bytes of the disk of the spool.', () => status.counts.diskFree);
  gauge('ordermesh_edge_spool_full', '1 while new orders are refused.', () => (status.counts.full === null ? 0 : 1));
  gauge('ordermesh_edge_spool_failing', '1 while the spool does not answer, or answers with an error.', () =>
    status.trouble === undefined ? 0 : 1,
  );
  gauge(
    'ordermesh_edge_spool_damaged',
    '1 while a damaged spool may have lost orders, until `ordermesh edge acknowledge`.',
    () => (status.counts.lossOpen ? 1 : 0),
  );
  gauge(
    'ordermesh_edge_token_refused',
    '1 while the region refuses the token: nothing gets out until it is replaced.',
    () => (forwarder.line.state === 'token-refused' ? 1 : 0),
  );
  gauge('ordermesh_edge_line_up', '1 while the region takes orders.', () => (forwarder.line.state === 'up' ? 1 : 0));
  counter('ordermesh_edge_batches_total', 'Batches that the region answered.', () => forwarder.counts.batches);
  counter('ordermesh_edge_failures_total', 'Attempts that the region did not answer.', () => forwarder.counts.failures);
  counter('ordermesh_edge_sent_bytes_total', 'Bytes of answered batches, as sent.', () => forwarder.counts.bytes);
  counter(
    'ordermesh_edge_orders_confirmed_total',
    'Orders that the region has confirmed, replays included.',
    () => forwarder.counts.confirmed,
  );
  counter('ordermesh_edge_orders_refused_total', 'Orders that the region has refused.', () => forwarder.counts.refused);
  counter(
    'ordermesh_edge_bad_frames_total',
    'WebSocket frames over the line that are none of the region.',
    () => frameCounts.bad,
  );
  return registry;
}
