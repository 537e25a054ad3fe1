import type { FetchedRecord } from '../../../kafka/index.ts';
import type { EnteredLog } from '../../../store/index.ts';
import type { PartitionProgress } from '../../wire/slot-protocol.ts';

/** Bounds of one partition's work in flight. At the bound it is paused; at half of it, resumed. */
export interface PartitionLimits {
  messagesMax: number;
  bytesMax: number;
  /** Most offsets from the frontier to the newest record taken: what a crash would deliver again. */
  windowMax: number;
}

/** Why a partition isn't fetched: it waits for its epoch or its thread, its mailbox is full, or something it needs is down. */
export type PauseReason = 'opening' | 'full' | 'outage';

/**
 * What the main thread knows of an assigned partition: how far it is taken in, finished and committed, and how much is in flight.
 * Pure state; the host acts on it.
 */
export class AssignedPartition {
  readonly partition: number;
  readonly slot: number;
  readonly pauses = new Set<PauseReason>(['opening']);
  /** Counts this process's assignments and fresh starts, to tell late reports. */
  generation: number;
  epoch: number | undefined;
  phase: 'opening' | 'running' | 'draining' = 'opening';
  /** Offset of the next record to take; undefined before the first. */
  next: number | undefined;
  /** All below are finished. */
  frontier: number | undefined;
  committed: number | undefined;
  /** Which log the offsets speak of; undefined until it was looked at. */
  log: { log: number; logId: string } | undefined;
  /** Offsets that did not come: until it is known whether records were removed there, nothing is committed. */
  gaps: { from: number; to: number }[] = [];
  /** Up to here, removed records have been noted. */
  skippedTo = 0;
  highWatermark: number | undefined;
  messages = 0;
  bytes = 0;
  parkedKeys = 0;
  keys = 0;
  /** When the frontier last moved or no message was in flight; in the host's observed time, like every `now` in this file. */
  movedAt: number;
  readonly #limits: PartitionLimits;

  constructor(partition: number, slot: number, generation: number, limits: PartitionLimits, now: number) {
    this.partition = partition;
    this.slot = slot;
    this.generation = generation;
    this.#limits = limits;
    this.movedAt = now;
  }

  /** Drops what was taken before (a redelivery) and counts the rest as in flight once `taken` says so. */
  fresh(records: FetchedRecord[]): FetchedRecord[] {
    const { next } = this;
    const first = records[0];
    if (next === undefined || first === undefined || first.offset >= next) return records;
    return records.filter(({ offset }) => offset >= next);
  }

  /** Goes on in this log: where it was if the log is the same, else where the log is to begin. */
  enter({ log, logId, startAt, committed }: Pick<EnteredLog, 'log' | 'logId' | 'startAt' | 'committed'>): void {
    const isSame = this.log?.log === log && this.log.logId === logId;
    this.log = { log, logId };
    if (isSame && this.frontier !== undefined && this.frontier >= startAt) return;
    this.gaps = [];
    this.skippedTo = 0;
    this.frontier = startAt;
    this.next = startAt;
    this.committed = committed === startAt ? committed : undefined;
    this.highWatermark = undefined;
  }

  taken(records: readonly FetchedRecord[], bytes: number, now: number): void {
    const first = records[0];
    const last = records.at(-1);
    if (first === undefined || last === undefined) return;
    if (this.messages === 0) this.movedAt = now;
    this.frontier ??= first.offset;
    this.next = last.offset + 1;
    this.messages += records.length;
    this.bytes += bytes;
  }

  progressed({ frontier, messages, bytes, parkedKeys, keys }: PartitionProgress, now: number): void {
    this.messages -= messages;
    this.bytes -= bytes;
    this.parkedKeys = parkedKeys;
    this.keys = keys;
    this.advance(frontier, now);
  }

  advance(frontier: number | undefined, now: number): void {
    if (frontier === undefined || frontier === this.frontier) return;
    this.frontier = frontier;
    this.movedAt = now;
  }

  /** Forgets all that is in flight, and goes on from the frontier: the thread died or a newer epoch fenced it. */
  restart(generation: number): void {
    this.generation = generation;
    this.phase = 'opening';
    this.next = this.frontier;
    this.messages = 0;
    this.bytes = 0;
    this.keys = 0;
    this.pauses.add('opening');
    this.pauses.delete('full');
  }

  get window(): number {
    return (this.next ?? 0) - (this.frontier ?? this.next ?? 0);
  }

  get full(): boolean {
    const { messagesMax, bytesMax, windowMax } = this.#limits;
    return this.messages >= messagesMax || this.bytes >= bytesMax || this.window >= windowMax;
  }

  /** At or below half of each bound. */
  get slack(): boolean {
    const { messagesMax, bytesMax, windowMax } = this.#limits;
    return this.messages * 2 <= messagesMax && this.bytes * 2 <= bytesMax && this.window * 2 <= windowMax;
  }

  /** What is to be committed; undefined when the broker knows it already. */
  get uncommitted(): number | undefined {
    return this.gaps.length > 0 || this.frontier === this.committed ? undefined : this.frontier;
  }

  /** Records not yet finished, those not yet fetched included. */
  get lag(): number | undefined {
    if (this.highWatermark === undefined || this.frontier === undefined) return undefined;
    return Math.max(0, this.highWatermark - this.frontier);
  }

  /** How long the first unfinished message has been waiting for, in milliseconds; 0 with nothing in flight. */
  frontierAgeMs(now: number): number {
    return this.messages === 0 ? 0 : now - this.movedAt;
  }
}
