import type { Registry } from 'prom-client';
import type { ConsumerListener, GroupConsumer } from '../../kafka/index.ts';
import type { EnteredLog, LogProgress, ParkedKey, SettledKey } from '../../store/index.ts';
import type { MetricsSnapshot } from '../../telemetry/metrics.ts';
import type { StageClock } from '../../telemetry/stages/stage-clock.ts';
import type { Timers } from '../timers.ts';
import type { DrainedPartition, OpenPartition, PartitionBatch } from '../wire/slot-protocol.ts';
import type { SlotView } from '../wire/slot-view.ts';
import type { LogKeeper } from './partitions/log-keeper.ts';
import type { SlotListener } from './slots/slot.ts';

/** What the host needs from outside. The simulation puts models in their place and runs the same host. */
export interface HostPorts {
  timers: Timers;
  /** Joins the group. The first join may still be in flight when the promise resolves. */
  createConsumer(listener: ConsumerListener): Promise<GroupConsumer>;
  createSlot(index: number, listener: SlotListener): HostedSlot;
  ownership: PartitionOwnership;
  /** Checks whether the topic is still the one that the host works on. Absent in a simulation, whose topics don't change. */
  logs?: LogKeeper;
  /** The host's metrics are registered here. */
  registry: Registry;
  /** The clock of the main thread. */
  stages: StageClock;
}

/** One slot as the host sees it: a thread that can die and be started again. While it is dead, every call is rejected. */
export interface HostedSlot {
  readonly index: number;
  /** Whether the thread accepts work. */
  readonly running: boolean;
  /** Starts the thread, or replaces a dead one. Rejects when it can't start. */
  start(): Promise<void>;
  open(partitions: OpenPartition[]): Promise<void>;
  /** Hands a batch over. Batches arrive in the order of the calls, and after an earlier `open`. */
  take(batch: PartitionBatch): void;
  drain(partitions: number[]): Promise<DrainedPartition[]>;
  close(partitions: number[]): void;
  metrics(): Promise<MetricsSnapshot>;
  /** Undefined when the thread can't answer. */
  view(): Promise<SlotView | undefined>;
  /** Ends the thread. Rejects, after the thread has ended, if something in it did not close. */
  stop(timeoutMs: number): Promise<void>;
}

/** What the new owner of a partition starts with. */
export interface Ownership {
  /** Undefined without a database. */
  epoch: number | undefined;
  parked: ParkedKey[];
  /** No settled keys when absent. */
  settled?: SettledKey[];
  /** Which log the partition has, and where to begin. When absent, work begins at the committed position. */
  log?: EnteredLog;
}

/** Claims partitions in the store that has the effects. */
export interface PartitionOwnership {
  /**
   * Makes this process the owner. When it resolves, nothing of an older epoch can take effect any more.
   * @param progress positions in partitions that this process has worked on before
   */
  claim(partitions: readonly number[], progress?: readonly LogProgress[]): Promise<Map<number, Ownership>>;
  close(): Promise<void>;
}
