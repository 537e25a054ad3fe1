// The metrics of the main thread, read from the host at each scrape.

import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { type MemberHealth, registerRefusals, type Standing } from '../../kafka/index.ts';
import type { AssignedPartition, PauseReason } from './partitions/assigned-partition.ts';
import type { TopicFault } from './partitions/log-watch.ts';

export interface HostMetrics {
  registry: Registry;
  messages: Counter;
  rebalances: Counter;
  rebalancePauses: Histogram;
  outages: Counter<'dependency'>;
  slotDeaths: Counter<'reason'>;
  skipped: Counter<'reason'>;
  logChanges: Counter<'change'>;
}

export interface HostState {
  partitions(): Iterable<AssignedPartition>;
  /** Given up and not assigned again yet. Only while this process's member has no assignment. */
  given(): Iterable<AssignedPartition>;
  /** Why the partition stands; undefined if it does not stand. */
  standing(partition: AssignedPartition): Standing | undefined;
  /** State of the member; undefined before it has begun to join. */
  health(): MemberHealth | undefined;
  /** Dependencies that are down now. */
  outages(): number;
  hasFault(fault: TopicFault): boolean;
  /** How many messages wait alone for something outside. */
  held(): number;
  now(): number;
  /** Observed time, in which the ages of frontiers are measured. */
  observed(): number;
}

interface PartitionGauge {
  help: string;
  /** Partitions that were given up are shown until there is an assignment again, so that lag and age stay visible while nothing works. */
  stays?: boolean;
  value(
    partition: AssignedPartition,
    standing: Standing | undefined,
    state: Pick<HostState, 'now' | 'observed'>,
  ): number;
}

const pauseReasons: PauseReason[] = ['opening', 'full', 'outage'];

/** Gauges whose values are read from the partitions at each scrape. */
const partitionGauges: Record<string, PartitionGauge> = {
  ordermesh_runtime_lag: {
    help: 'Records of the partition that are not finished, those not yet fetched included.',
    stays: true,
    value: (partition) => partition.lag ?? 0,
  },
  ordermesh_runtime_frontier_age_seconds: {
    help: 'How long the first unfinished message has been holding the frontier, or how long the partition has been standing.',
    stays: true,
    value: (partition, standing, { now, observed }) =>
      Math.max(partition.frontierAgeMs(observed()), standing === undefined ? 0 : now() - standing.since) / 1_000,
  },
  ordermesh_runtime_in_flight_messages: {
    help: 'Messages taken in and not finished.',
    value: ({ messages }) => messages,
  },
  ordermesh_runtime_in_flight_bytes: {
    help: 'Bytes of the messages taken in and not finished.',
    value: ({ bytes }) => bytes,
  },
  ordermesh_runtime_mailbox_keys: { help: 'Keys with a message in flight.', value: ({ keys }) => keys },
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
  registerRefusals(registry);
  const registers = [registry];
  for (const [name, { help, stays = false, value }] of Object.entries(partitionGauges)) {
    new Gauge({
      name,
      help,
      labelNames: ['partition'],
      registers,
      collect() {
        this.reset();
        for (const partition of [...state.partitions(), ...(stays ? state.given() : [])])
          this.set({ partition: String(partition.partition) }, value(partition, state.standing(partition), state));
      },
    });
  }
  new Gauge({
    name: 'ordermesh_runtime_paused_partitions',
    help: 'Assigned partitions that are not fetched, by why: their thread or epoch is not there yet, their mailbox is full, or something is down.',
    labelNames: ['reason'],
    registers,
    collect() {
      const partitions = [...state.partitions()];
      for (const reason of pauseReasons)
        this.set({ reason }, partitions.filter(({ pauses }) => pauses.has(reason)).length);
    },
  });
  new Gauge({
    name: 'ordermesh_runtime_member_unproven_seconds',
    help: 'Since the group last proved the membership of this process, by an answered heartbeat or commit.',
    registers,
    collect() {
      const health = state.health();
      this.set(health === undefined ? 0 : Math.max(0, state.now() - health.provenAt) / 1_000);
    },
  });
  new Gauge({
    name: 'ordermesh_runtime_assigned_partitions',
    help: 'Partitions that the group has assigned to this process.',
    registers,
    collect() {
      this.set([...state.partitions()].length);
    },
  });
  new Gauge({
    name: 'ordermesh_runtime_standing_partitions',
    help: 'Partitions that stand still although nothing here holds them back: all that the member has or had, when the member itself stands.',
    registers,
    collect() {
      const standing = state.health()?.standing ?? [];
      const all = [...state.partitions(), ...state.given()].length;
      const held = [...state.partitions()].filter((partition) => state.standing(partition) !== undefined).length;
      const own = Math.max(standing.length, held);
      this.set(standing.some(({ partition }) => partition === undefined) ? Math.max(1, all) : own);
    },
  });
  new Counter({
    name: 'ordermesh_runtime_member_restarts_total',
    help: 'Times that the member of the group started afresh with a new client.',
    registers,
    collect() {
      this.reset();
      this.inc(state.health()?.restarts ?? 0);
    },
  });
  new Gauge({
    name: 'ordermesh_runtime_outage',
    help: 'Dependencies that are down, as this process sees them.',
    registers,
    collect() {
      this.set(state.outages());
    },
  });
  new Gauge({
    name: 'ordermesh_runtime_topic_fault',
    help: '1 while the topic does not exist, or has another number of partitions than its orders were written with.',
    labelNames: ['fault'],
    registers,
    collect() {
      for (const fault of ['missing', 'partitions'] as const) this.set({ fault }, state.hasFault(fault) ? 1 : 0);
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
    skipped: new Counter({
      name: 'ordermesh_runtime_skipped_messages_total',
      help: 'Records that were removed before they were read, by why: nothing will come of them.',
      labelNames: ['reason'],
      registers,
    }),
    logChanges: new Counter({
      name: 'ordermesh_runtime_log_changes_total',
      help: 'Partitions whose log is not the one that was worked on before: recreated, shortened, or elsewhere after a failover.',
      labelNames: ['change'],
      registers,
    }),
  };
}
