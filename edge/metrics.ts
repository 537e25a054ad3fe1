import { Counter, Gauge, Registry } from 'prom-client';
import type { Forwarder } from './forwarder/forwarder.ts';
import type { StatusKeeper } from './status.ts';

/** The agent's own metrics, beside those of the way in. Read when somebody scrapes. */
export function edgeMetrics(forwarder: Forwarder, status: StatusKeeper): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ role: 'edge' });
  const registers = [registry];
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name: `ordermesh_edge_${name}`,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  const counter = (name: string, help: string, read: () => number) =>
    new Counter({
      name: `ordermesh_edge_${name}_total`,
      help,
      registers,
      collect() {
        this.reset();
        this.inc(read());
      },
    });
  gauge('unsent_orders', 'Orders that no region has.', () => status.counts.unsent);
  gauge('refused_orders', 'Orders that the region refused for good.', () => status.counts.refused);
  gauge('confirmed_orders', 'Orders that a region has, kept for the replay window.', () => status.counts.confirmed);
  gauge('replaying_orders', 'Confirmed orders to be sent again to another region.', () => status.counts.replaying);
  gauge('held_back_orders', 'Orders that alone do not get through.', () => forwarder.held.length);
  gauge('oldest_unsent_seconds', 'Age of the oldest order that no region has.', () => {
    const { oldestUnsentAt } = status.counts;
    return oldestUnsentAt === null ? 0 : Math.max(0, (Date.now() - oldestUnsentAt) / 1_000);
  });
  gauge('spool_bytes', 'Bytes of the spool in use.', () => status.counts.bytes);
  gauge('spool_bytes_max', 'Quota of the spool.', () => status.counts.bytesMax);
  gauge('disk_free_bytes', 'Free bytes of the disk of the spool.', () => status.counts.diskFree);
  gauge('spool_full', '1 while new orders are refused.', () => (status.counts.full === null ? 0 : 1));
  gauge('line_up', '1 while the region answers.', () => (forwarder.line.state === 'up' ? 1 : 0));
  counter('batches', 'Batches that the region answered.', () => forwarder.counts.batches);
  counter('failures', 'Attempts that the region did not answer.', () => forwarder.counts.failures);
  counter('sent_bytes', 'Bytes of answered batches, as sent.', () => forwarder.counts.bytes);
  counter(
    'orders_confirmed',
    'Orders that the region has confirmed, replays included.',
    () => forwarder.counts.confirmed,
  );
  counter('orders_refused', 'Orders that the region has refused.', () => forwarder.counts.refused);
  return registry;
}
