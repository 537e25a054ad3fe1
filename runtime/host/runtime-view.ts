import type { GroupConsumer, Standing } from '../../kafka/index.ts';
import type { ThreadStagesView } from '../../telemetry/stages/stage-metrics.ts';
import type { SlotView } from '../wire/slot-view.ts';
import { type MemberView, memberView, nameOf, standingOf } from './member-view.ts';
import type { OutageBoard } from './outage-board.ts';
import type { AssignedPartition } from './partitions/assigned-partition.ts';
import type { Rebalance } from './partitions/rebalance-clock.ts';

/** The state of a runtime as its main thread knows it. */
export interface RuntimeView {
  role: string;
  group: string;
  topic: string;
  /** This process's member of the group; null before it has begun to join. */
  member: MemberView | null;
  slots: { slot: number; running: boolean; partitions: number[] }[];
  outages: { what: string; reason: string; since: string }[];
  rebalances: { count: number; last: Rebalance | null };
  partitions: PartitionView[];
}

/** The answer of `GET /debug/runtime`. `thread` is null for a slot that can't answer now. */
export interface RuntimeInspection extends RuntimeView {
  /** What the main thread has spent, by stage. */
  mainThread: ThreadStagesView;
  slots: (RuntimeView['slots'][number] & { thread: SlotView | null })[];
}

export interface PartitionView {
  partition: number;
  slot: number;
  phase: string;
  epoch: number | null;
  frontier: number | null;
  committed: number | null;
  next: number | null;
  lag: number | null;
  frontierAgeMs: number;
  inFlightMessages: number;
  inFlightBytes: number;
  keys: number;
  parkedKeys: number;
  paused: string[];
  /** Why the partition stands, and since when; null while it is fetched. */
  standing: { reason: string; since: string } | null;
}

export function runtimeView(
  about: Pick<RuntimeView, 'role' | 'group' | 'topic' | 'rebalances'> & {
    slots: Pick<RuntimeView['slots'][number], 'slot' | 'running'>[];
  },
  partitions: Iterable<AssignedPartition>,
  outages: OutageBoard,
  consumer: GroupConsumer | undefined,
  /** Observed time. */
  now: number,
): RuntimeView {
  const all = [...partitions].sort((a, b) => a.partition - b.partition);
  const standing = consumer?.health.standing ?? [];
  return {
    ...about,
    member: memberView(consumer),
    slots: about.slots.map(({ slot, running }) => ({
      slot,
      running,
      partitions: all.filter((partition) => partition.slot === slot).map(({ partition }) => partition),
    })),
    outages: [
      ...outages.entries(),
      ...standing.map((one) => ({
        what: nameOf(one, about.group),
        reason: one.reason,
        since: new Date(one.since).toISOString(),
      })),
    ],
    partitions: all.map((state) => ({
      partition: state.partition,
      slot: state.slot,
      phase: state.phase,
      epoch: state.epoch ?? null,
      frontier: state.frontier ?? null,
      committed: state.committed ?? null,
      next: state.next ?? null,
      lag: state.lag ?? null,
      frontierAgeMs: state.frontierAgeMs(now),
      inFlightMessages: state.messages,
      inFlightBytes: state.bytes,
      keys: state.keys,
      parkedKeys: state.parkedKeys,
      paused: [...state.pauses],
      standing: stands(standingOf(standing, state.partition)),
    })),
  };
}

function stands(standing: Standing | undefined): PartitionView['standing'] {
  return standing === undefined ? null : { reason: standing.reason, since: new Date(standing.since).toISOString() };
}
