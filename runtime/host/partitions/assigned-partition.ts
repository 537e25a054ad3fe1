import type { FetchedRecord } from '../../../kafka/index.ts';
import type { EnteredLog } from '../../../store/index.ts';
import type { PartitionProgress } from '../../wire/slot-protocol.ts';

/** Bounds of one partition's work in flight. At the bound it is paused; at half of it, resumed. */
export interface PartitionLimits {
  messagesMax: number;
  bytesMax: number;
  /** Most offsets between the frontier and the newest record: this many a crash would deliver again. */
  windowMax: number;
}

/**
 * Why a partition isn't fetched: it waits for its epoch or its thread, it has too much in flight, or something that its messages need is
 * down.
 */
export type PauseReason = 'opening' | 'full' | 'outage';

/**
 * What the main thread knows of an assigned partition: how far it has been taken in, finished and committed, and how much is in flight.
 * Pure state; the host acts on it.
 */
export class AssignedPartition {
  readonly partition: number;
  readonly slot: number;
  readonly pauses = new Set<PauseReason>(['opening']);
  /** Counts the openings of partitions by this process. A report with an older number is ignored. */
  incarnation: number;
  epoch: number | undefined;
  phase: 'opening' | 'running' | 'draining' = 'opening';
  /** Offset of the next record to take; undefined before the first record. */
  next: number | undefined;
  /** All messages below it are finished. */
  frontier: number | undefined;
  committed: number | undefined;
  /** Messages finished since the last commit, for the stage clock. */
  uncounted = 0;
  /** The log that the offsets belong to; undefined until it was looked up. */
  log: { log: number; logId: string } | undefined;
  /** Offsets that were missing in a fetch. Nothing is committed until it is known whether records were removed there. */
  gaps: { from: number; to: number }[] = [];
  /** Removed records below this offset have been noted in the database. */
  skippedTo = 0;
  highWatermark: number | undefined;
  messages = 0;
  bytes = 0;
  parkedKeys = 0;
  keys = 0;
  /** When the frontier last moved, or when nothing was in flight; in the host's observed time, like every `now` in this file. */
  movedAt: number;
  readonly #limits: PartitionLimits;

  constructor(partition: number, slot: number, incarnation: number, limits: PartitionLimits, now: number) {
    this.partition = partition;
    this.slot = slot;
    this.incarnation = incarnation;
    this.#limits = limits;
    this.movedAt = now;
  }

  /** Drops records that were taken before (a redelivery). `taken` then counts the others as in flight. */
  fresh(records: FetchedRecord[]): FetchedRecord[] {
    const { next } = this;
    const first = records[0];
    if (next === undefined || first === undefined || first.offset >= next) return records;
    return records.filter(({ offset }) => offset >= next);
  }

  /** Goes on in this log: at the frontier if the log is the same, otherwise at `startAt`. */
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
    this.uncounted += messages;
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

  /** Forgets all that is in flight and goes on from the frontier, because the thread died or a newer epoch fenced the partition. */
  restart(incarnation: number): void {
    this.incarnation = incarnation;
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

  /** Whether all that is in flight is at or below half of each bound. */
  get slack(): boolean {
    const { messagesMax, bytesMax, windowMax } = this.#limits;
    return this.messages * 2 <= messagesMax && this.bytes * 2 <= bytesMax && this.window * 2 <= windowMax;
  }

  /** The offset to commit; undefined when the broker knows it already. */
  get uncommitted(): number | undefined {
    return this.gaps.length > 0 || this.frontier === this.committed ? undefined : this.frontier;
  }

  /** Records that are not finished yet, including records not fetched yet. */
  get lag(): number | undefined {
    if (this.highWatermark === undefined || this.frontier === undefined) return undefined;
    return Math.max(0, this.highWatermark - this.frontier);
  }

  /** For how long the first unfinished message has been waiting; 0 with nothing in flight. */
  frontierAgeMs(now: number): number {
    return this.messages === 0 ? 0 : now - this.movedAt;
  }
}
