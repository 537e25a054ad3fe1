import type { Registry } from 'prom-client';
import type { ConsumerListener, GroupConsumer } from '../../kafka/index.ts';
import type { EnteredLog, LogProgress, ParkedKey, SettledKey } from '../../store/index.ts';
import type { MetricsSnapshot } from '../../telemetry/metrics.ts';
import type { Timers } from '../timers.ts';
import type { DrainedPartition, OpenPartition, PartitionBatch } from '../wire/slot-protocol.ts';
import type { SlotView } from '../wire/slot-view.ts';
import type { LogKeeper } from './partitions/log-keeper.ts';
import type { SlotListener } from './slots/slot.ts';

/** What the host needs of the world. A simulation puts models in their place and runs the same host. */
export interface HostPorts {
  timers: Timers;
  /** Joins the group. The first join may still be in flight when the promise resolves. */
  createConsumer(listener: ConsumerListener): Promise<GroupConsumer>;
  createSlot(index: number, listener: SlotListener): HostedSlot;
  ownership: PartitionOwnership;
  /** Looks whether the topic is still the one that is worked on. Absent in a simulation, whose topics stay. */
  logs?: LogKeeper;
  /** The host's metrics are registered here. */
  registry: Registry;
}

/** One slot as the host sees it: a thread that can die and be started again. Once it is dead, every call is rejected. */
export interface HostedSlot {
  readonly index: number;
  /** Whether the thread takes work. */
  readonly running: boolean;
  /** Starts the thread, in place of a dead one. Rejects when it can't start. */
  start(): Promise<void>;
  open(partitions: OpenPartition[]): Promise<void>;
  /** Hands a batch over, in the order of the calls and after the `open` before it. */
  take(batch: PartitionBatch): void;
  drain(partitions: number[]): Promise<DrainedPartition[]>;
  close(partitions: number[]): void;
  metrics(): Promise<MetricsSnapshot>;
  /** Undefined when the thread can't answer. */
  view(): Promise<SlotView | undefined>;
  /** Rejects when the thread has ended, but not everything in it had closed. */
  stop(timeoutMs: number): Promise<void>;
}

/** What a partition's new owner starts with. */
export interface Ownership {
  /** Undefined without a database. */
  epoch: number | undefined;
  parked: ParkedKey[];
  /** Absent: there are none. */
  settled?: SettledKey[];
  /** Which log the partition is, and where to begin in it. When absent, work goes on at the committed position. */
  log?: EnteredLog;
}

/** Who owns which partition, in the store that the effects are in. */
export interface PartitionOwnership {
  /**
   * Makes this process the owner: when it resolves, nothing of an older epoch can take effect any more.
   * @param progress how far this process has come in those that it has worked on already
   */
  claim(partitions: readonly number[], progress?: readonly LogProgress[]): Promise<Map<number, Ownership>>;
  close(): Promise<void>;
}
