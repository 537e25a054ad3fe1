import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { AssignedPartition } from './assigned-partition.ts';

export interface HostMetrics {
  registry: Registry;
  messages: Counter;
  rebalances: Counter;
  rebalancePauses: Histogram;
  outages: Counter<'dependency'>;
  slotDeaths: Counter<'reason'>;
}

export interface HostState {
  partitions(): Iterable<AssignedPartition>;
  /** Dependencies that are down now. */
  outages(): number;
  /** Messages that wait alone for something outside. */
  held(): number;
  now(): number;
}

/** Gauges that are read from a partition at the scrape. */
const partitionGauges: Record<string, { help: string; value(state: AssignedPartition, now: number): number }> = {
  ordermesh_runtime_lag: {
    help: 'Records of the partition that are not finished, those not yet fetched included.',
    value: (partition) => partition.lag ?? 0,
  },
  ordermesh_runtime_frontier_age_seconds: {
    help: 'How long the first unfinished message has been holding the frontier.',
    value: (partition, now) => partition.frontierAgeMs(now) / 1_000,
  },
  ordermesh_runtime_in_flight_messages: {
    help: 'Messages taken in and not finished.',
    value: ({ messages }) => messages,
  },
  ordermesh_runtime_in_flight_bytes: {
    help: 'Bytes of the messages taken in and not finished.',
    value: ({ bytes }) => bytes,
  },
  ordermesh_runtime_mailbox_keys: { help: 'Keys with a message under way.', value: ({ keys }) => keys },
  ordermesh_runtime_mailbox_depth_messages: {
    help: 'Messages taken in that wait behind an earlier one of their key, or for their thread to come to them.',
    value: ({ messages, keys }) => Math.max(0, messages - keys),
  },
  ordermesh_runtime_parked_keys: {
    help: 'Keys whose messages go to the dead-letter topic.',
    value: ({ parkedKeys }) => parkedKeys,
  },
};

export function createHostMetrics(registry: Registry, state: HostState): HostMetrics {
  const registers = [registry];
  for (const [name, { help, value }] of Object.entries(partitionGauges)) {
    new Gauge({
      name,
      help,
      labelNames: ['partition'],
      registers,
      collect() {
        this.reset();
        for (const partition of state.partitions())
          this.set({ partition: String(partition.partition) }, value(partition, state.now()));
      },
    });
  }
  new Gauge({
    name: 'ordermesh_runtime_outage',
    help: 'Dependencies that are down, as this process sees them.',
    registers,
    collect() {
      this.set(state.outages());
    },
  });
  new Gauge({
    name: 'ordermesh_runtime_held_messages',
    help: 'Messages that wait long for something outside while others go on.',
    registers,
    collect() {
      this.set(state.held());
    },
  });
  return {
    registry,
    messages: new Counter({
      name: 'ordermesh_runtime_messages_total',
      help: 'Messages finished, parked ones included.',
      registers,
    }),
    rebalances: new Counter({
      name: 'ordermesh_runtime_rebalances_total',
      help: 'Assignments that this process was given.',
      registers,
    }),
    rebalancePauses: new Histogram({
      name: 'ordermesh_runtime_rebalance_pause_seconds',
      help: 'From giving partitions up until the next assignment is worked on.',
      buckets: [0.05, 0.1, 0.2, 0.5, 1, 2, 3, 5, 10, 30],
      registers,
    }),
    outages: new Counter({
      name: 'ordermesh_runtime_outages_total',
      help: 'Outages begun, by what was down.',
      labelNames: ['dependency'],
      registers,
    }),
    slotDeaths: new Counter({
      name: 'ordermesh_runtime_slot_deaths_total',
      help: 'Threads that died and were replaced, by what ended them.',
      labelNames: ['reason'],
      registers,
    }),
  };
}
