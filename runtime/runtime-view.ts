import type { AssignedPartition } from './assigned-partition.ts';
import type { OutageBoard } from './outage-board.ts';
import type { Rebalance } from './rebalance-clock.ts';
import type { SlotView } from './slot-view.ts';

/** What the main thread knows of its runtime. */
export interface RuntimeView {
  role: string;
  group: string;
  topic: string;
  slots: { slot: number; running: boolean; partitions: number[] }[];
  outages: { what: string; reason: string; since: string }[];
  rebalances: { count: number; last: Rebalance | null };
  partitions: PartitionView[];
}

/** What `GET /debug/runtime` answers. A slot that can't answer now has no `thread`. */
export interface RuntimeInspection extends RuntimeView {
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
}

export function runtimeView(
  about: Pick<RuntimeView, 'role' | 'group' | 'topic' | 'rebalances'> & {
    slots: Pick<RuntimeView['slots'][number], 'slot' | 'running'>[];
  },
  partitions: Iterable<AssignedPartition>,
  outages: OutageBoard,
  now: number,
): RuntimeView {
  const all = [...partitions].sort((a, b) => a.partition - b.partition);
  return {
    ...about,
    slots: about.slots.map(({ slot, running }) => ({
      slot,
      running,
      partitions: all.filter((partition) => partition.slot === slot).map(({ partition }) => partition),
    })),
    outages: outages.entries(),
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
    })),
  };
}
