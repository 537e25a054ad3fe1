import type { MessagePort } from 'node:worker_threads';
import type { KafkaCluster } from '../../contracts/config/kafka-cluster.ts';
import type { DatabaseServer, ParkedKey, SettledKey } from '../../store/index.ts';
import type { Suspect, SuspectNews } from './suspects.ts';

/** What the main thread asks of a slot's thread. Each is a task of the thread's Piscina; `slot-thread.ts` handles them in one switch. */
export type SlotTask =
  | { kind: 'start'; options: SlotOptions; reports: MessagePort; watch: Watch }
  /** Answered when the thread stops; rejected when it dies. */
  | { kind: 'live' }
  | { kind: 'open'; partitions: OpenPartition[] }
  /** `sentAt`: by `sharedNow()`. */
  | { kind: 'batches'; batches: PartitionBatch[]; sentAt: number }
  | { kind: 'drain'; partitions: number[] }
  | { kind: 'close'; partitions: number[] }
  | { kind: 'metrics' }
  | { kind: 'view' }
  | { kind: 'stop' };

/** How the main thread watches over a thread. */
export interface Watch {
  /** The memory of a `Pulse`. */
  pulse: SharedArrayBuffer;
  /** Interval of the beats of the event loop. */
  beatMs: number;
  /** Time limit for creating the actor. */
  startMsMax: number;
  suspects: Suspect[];
}

export interface PartitionBatch {
  partition: number;
  incarnation: number;
  /** Packed by `packBatch`, transferred. */
  buffer: ArrayBuffer;
}

export interface OpenPartition {
  partition: number;
  incarnation: number;
  epoch: number | undefined;
  /** 0 when absent. */
  log?: number;
  /** The slot last opened the partition with another log, so what the thread remembers by offset is not valid for this log. */
  isAnotherLog?: boolean;
  parked: ParkedKey[];
  settled: SettledKey[];
}

/** The answer to `drain`: what may be committed, for each partition that was open. */
export interface DrainedPartition {
  partition: number;
  frontier: number | undefined;
}

/** Plain data: it crosses the thread boundary. */
export interface SlotOptions {
  slot: number;
  role: string;
  group: string;
  topic: string;
  cluster: KafkaCluster;
  database: DatabaseServer | undefined;
  /** `file:` URL of the module that exports `createActor`. */
  actorModule: string;
  settings: unknown;
  limits: SlotLimits;
}

/** Bounds of the work in one thread. */
export interface SlotLimits {
  turnSizeMax: number;
  turnsMax: number;
  preparesMax: number;
  /** A `prepare` that takes longer counts as an outage. */
  prepareMsMax: number;
  retriesMax: number;
  retryBackoffMs: number;
  outageBackoffMs: number;
  outageBackoffMsMax: number;
  produceDeadlineMs: number;
}

/** What must be up for a message to succeed. */
export const dependencies = ['prepare', 'database', 'broker'] as const;
export type Dependency = (typeof dependencies)[number];

/**
 * Which messages an outage stops: all of the slot; only those that need the dependency; or one, because only one has met the outage so far and
 * others are still tried.
 */
export type OutageStops = 'all' | 'some' | 'one';

export interface PartitionProgress {
  partition: number;
  incarnation: number;
  /** Offset to commit; undefined before the first message. */
  frontier: number | undefined;
  /** Finished since the last report. */
  messages: number;
  bytes: number;
  /** Keys that are parked now. */
  parkedKeys: number;
  /** Keys with a message in flight. */
  keys: number;
}

/** A message that waits, shown to people. Plain data: it crosses the thread boundary. */
export interface HeldMessage {
  partition: number;
  offset: number;
  key: string;
  reason: string;
  /** Milliseconds since 1970. */
  since: number;
}

/** What a slot's thread reports to the main thread without being asked. */
export type SlotReport =
  | { kind: 'progress'; partitions: PartitionProgress[] }
  | { kind: 'fenced'; partition: number; incarnation: number }
  | { kind: 'outage'; dependency: Dependency; reason: string; since: number; stops: OutageStops }
  | { kind: 'recovered'; dependency: Dependency }
  /** Messages that wait long for something outside while others go on. */
  | { kind: 'held'; count: number; longest: HeldMessage | undefined }
  /** A message was parked because of its own failure. */
  | { kind: 'poison'; partition: number; offset: number; key: string; reason: string; error: string; attempts: number };

/** All messages from a thread: its reports, and news of suspects. */
export type ThreadMessage = SlotReport | SuspectNews;
