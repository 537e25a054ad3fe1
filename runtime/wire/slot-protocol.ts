import type { MessagePort } from 'node:worker_threads';
import type { ParkedKey, SettledKey } from '../../store/index.ts';
import type { Suspect, SuspectNews } from './suspects.ts';

/** What the main thread asks of a slot's thread: the tasks of its Piscina, told apart by `kind` and handled by one switch. */
export type SlotTask =
  | { kind: 'start'; options: SlotOptions; reports: MessagePort; watch: Watch }
  /** Answered when the thread stops; rejected when it dies. */
  | { kind: 'live' }
  | { kind: 'open'; partitions: OpenPartition[] }
  | { kind: 'batches'; batches: PartitionBatch[] }
  | { kind: 'drain'; partitions: number[] }
  | { kind: 'close'; partitions: number[] }
  | { kind: 'metrics' }
  | { kind: 'view' }
  | { kind: 'stop' };

/** How the main thread watches over a thread. */
export interface Watch {
  /** Of a `Pulse`. */
  pulse: SharedArrayBuffer;
  /** The event loop beats so often, in milliseconds. */
  beatMs: number;
  /** The actor has to be created in this time, in milliseconds. */
  startMsMax: number;
  suspects: Suspect[];
}

export interface PartitionBatch {
  partition: number;
  generation: number;
  /** Packed by `packBatch`, transferred. */
  buffer: ArrayBuffer;
}

export interface OpenPartition {
  partition: number;
  generation: number;
  epoch: number | undefined;
  /** 0 when absent. */
  log?: number;
  /** The slot last opened the partition with another log: what the thread knows by offset does not apply to this log. */
  isAnotherLog?: boolean;
  parked: ParkedKey[];
  settled: SettledKey[];
}

/** The answer to `drain`: what may be committed, of partitions that were open. */
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
  brokers: string[];
  databaseUrl: string | undefined;
  /** `file:` URL of the module that exports `createActor`. */
  actorModule: string;
  settings: unknown;
  limits: SlotLimits;
}

/** Bounds of the work in one thread. Times in milliseconds. */
export interface SlotLimits {
  turnSizeMax: number;
  turnsMax: number;
  preparesMax: number;
  /** A `prepare` that has not returned by then counts as an outage. */
  prepareMsMax: number;
  retriesMax: number;
  retryBackoffMs: number;
  outageBackoffMs: number;
  outageBackoffMsMax: number;
  produceDeadlineMs: number;
}

/** What has to be up for a message to go through. */
export const dependencies = ['prepare', 'database', 'broker'] as const;
export type Dependency = (typeof dependencies)[number];

export interface PartitionProgress {
  partition: number;
  generation: number;
  /** Offset to commit; undefined before the first message. */
  frontier: number | undefined;
  /** Finished since the last report. */
  messages: number;
  bytes: number;
  /** Keys parked now. */
  parkedKeys: number;
  /** Keys with a message in flight. */
  keys: number;
}

/** A message that waits, for a person who looks. Plain data: it crosses the thread boundary. */
export interface HeldMessage {
  partition: number;
  offset: number;
  key: string;
  reason: string;
  /** Milliseconds since the epoch. */
  since: number;
}

/** What a slot's thread tells the main thread of its own accord. */
export type SlotReport =
  | { kind: 'progress'; partitions: PartitionProgress[] }
  | { kind: 'fenced'; partition: number; generation: number }
  /** `lone`: only one message has met it so far, so others are still tried. */
  | { kind: 'outage'; dependency: Dependency; reason: string; since: number; lone: boolean }
  | { kind: 'recovered'; dependency: Dependency }
  /** Messages that wait long for something outside while others go on. */
  | { kind: 'held'; count: number; longest: HeldMessage | undefined }
  /** A message is parked for its own failure. */
  | { kind: 'poison'; partition: number; offset: number; key: string; reason: string; error: string; attempts: number };

/** All that comes from a thread: its reports, and what concerns the watch over it. */
export type ThreadMessage = SlotReport | SuspectNews;
