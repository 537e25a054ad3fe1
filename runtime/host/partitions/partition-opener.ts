// Opens assigned partitions: claim, then hand-over to a slot. The host calls it for each assignment and each new thread.

import { exponentialDelayMs } from '../../../contracts/backoff.ts';
import { KafkaUnavailableError, NotAMemberError } from '../../../kafka/index.ts';
import type { LogProgress } from '../../../store/index.ts';
import type { Logger } from '../../../telemetry/logger.ts';
import { StateLog } from '../../../telemetry/state-log.ts';
import { describeError } from '../../outage.ts';
import { delay, type Timers } from '../../timers.ts';
import type { Ownership, PartitionOwnership } from '../host-ports.ts';
import type { OutageBoard } from '../outage-board.ts';
import type { SlotSet } from '../slots/slot-set.ts';
import type { AssignedPartition } from './assigned-partition.ts';
import type { Assignment } from './assignment.ts';
import type { LogWatch } from './log-watch.ts';

/** A claim that takes longer is reported as an outage. The claim itself goes on. */
const CLAIM_ANSWER_MS_MAX = 3_000;
/** Name of the logged state in which partitions cannot be opened. */
const OPENING = 'opening';
const BACKOFF_MS = { first: 100, most: 5_000 };

export interface PartitionOpenerParts {
  assignment: Assignment;
  slots: SlotSet;
  ownership: PartitionOwnership;
  outages: OutageBoard;
  timers: Timers;
  logger: Logger;
  logWatch: LogWatch;
}

/**
 * Brings a partition from assigned to running: claims its epoch and opens it in its thread. Also claims again when a newer epoch has fenced
 * the partition.
 */
export class PartitionOpener {
  readonly #parts: PartitionOpenerParts;
  readonly #states: StateLog;

  constructor(parts: PartitionOpenerParts) {
    this.#parts = parts;
    this.#states = new StateLog(parts.logger, parts.timers);
  }

  /**
   * Claims the epochs and opens the partitions in their threads. Repeats this until it succeeds or the partitions are given up. An
   * assignment and the replacement of a thread may both open the same partition. Each opening has an incarnation of its own, and only the
   * newest one counts: the thread may have messages of the older one already, and a second `open` would drop them.
   */
  async open(partitions: AssignedPartition[]): Promise<void> {
    const { assignment, ownership, outages, timers } = this.#parts;
    const wanted = partitions.map((partition) => {
      partition.incarnation = assignment.nextIncarnation();
      return { partition, incarnation: partition.incarnation };
    });
    for (let attempt = 1; ; attempt++) {
      const stillWanted = () => wanted.filter(({ partition, incarnation }) => this.#isOpening(partition, incarnation));
      const current = stillWanted();
      if (current.length === 0) return;
      // A claim may wait for a server that accepts connections and never answers. Readiness must show that meanwhile.
      const stopWatching = timers.after(CLAIM_ANSWER_MS_MAX, () => {
        if (stillWanted().length === 0) return;
        outages.note('assignment', 'database or broker', 'no answer yet', timers.now());
        this.#cannotOpen('no answer yet');
      });
      try {
        const owned = await ownership
          .claim(
            current.map(({ partition }) => partition.partition),
            current.flatMap(({ partition }) => progressOf(partition)),
          )
          .finally(() => stopWatching());
        const closed = current.filter(({ partition }) => !owned.has(partition.partition));
        if (closed.length === 0) outages.clear('assignment');
        await Promise.all(
          current.map(({ partition, incarnation }) =>
            this.#openOne(partition, incarnation, owned.get(partition.partition)),
          ),
        );
        if (closed.length === 0) {
          this.#states.end(OPENING, 'partitions can be opened again');
          return;
        }
        const leaderless = closed.map(({ partition }) => partition.partition).join(', ');
        throw new KafkaUnavailableError(`partitions ${leaderless} have no leader that answers; the others are open`);
      } catch (error) {
        // Without epochs the partitions can't be worked on, whatever the error is: wait, report it, try again.
        const reason = describeError(error);
        if (stillWanted().length === 0) return;
        outages.clear('assignment');
        const dependency = error instanceof KafkaUnavailableError ? 'broker' : 'database';
        outages.note('assignment', dependency, reason, timers.now());
        this.#cannotOpen(reason);
        await this.#backOff(attempt);
      }
    }
  }

  /**
   * A newer epoch owns a partition that this process holds. If a commit succeeds, the group still counts this process as the owner, so the
   * newer epoch was claimed by a member that is out of the group: claim the next epoch. If the commit is refused, the partition is lost.
   */
  async reclaim(partition: AssignedPartition): Promise<void> {
    const { assignment, logger } = this.#parts;
    if (partition.phase === 'draining') return;
    logger.warn({ partition: partition.partition }, 'fenced by a newer epoch');
    assignment.restart(partition);
    const { incarnation } = partition;
    const proving = `proving ${partition.partition}`;
    for (let attempt = 1; this.#isOpening(partition, incarnation); attempt++) {
      try {
        const offset = partition.frontier;
        if (offset !== undefined) await assignment.consumer?.commit([{ ...assignment.place(partition), offset }]);
        break;
      } catch (error) {
        if (error instanceof NotAMemberError) {
          this.#states.end(proving, 'the membership is lost', assignment.place(partition));
          this.forget([partition]);
          return;
        }
        this.#states.begin(proving, 'cannot prove the membership; trying again', {
          partition: partition.partition,
          reason: describeError(error),
        });
        await this.#backOff(attempt);
      }
    }
    const isOurs = this.#isOpening(partition, incarnation);
    const outcome = isOurs ? 'the membership is proven' : 'the partition is no longer to be opened';
    this.#states.end(proving, outcome, assignment.place(partition));
    if (isOurs) await this.open([partition]);
  }

  /** The log of the partitions has changed: opens them again in the log that is there now. */
  async reopen(partitions: AssignedPartition[]): Promise<void> {
    for (const partition of partitions) {
      this.#parts.slots.at(partition.slot)?.close([partition.partition]);
      this.#parts.assignment.restart(partition);
    }
    await this.open(partitions);
  }

  /** The partitions are lost: nothing of them is committed, and what their threads still do with them is dropped. */
  forget(partitions: AssignedPartition[]): void {
    const { assignment, slots, outages } = this.#parts;
    for (const partition of partitions)
      if (assignment.remove(partition)) slots.at(partition.slot)?.close([partition.partition]);
    // With nothing left to open, no claim would ever show that the outage is over.
    if ([...assignment.all()].some(({ phase }) => phase === 'opening')) return;
    outages.clear('assignment');
    this.#states.end(OPENING, 'no partition is left to open');
  }

  #cannotOpen(reason: string): void {
    this.#states.begin(OPENING, 'cannot open partitions; trying again', { reason });
  }

  async #openOne(partition: AssignedPartition, incarnation: number, owned: Ownership | undefined): Promise<void> {
    const { assignment, slots } = this.#parts;
    const slot = slots.at(partition.slot);
    if (slot === undefined || owned === undefined || !this.#isOpening(partition, incarnation)) return;
    // A thread that is being replaced opens its partitions itself as soon as it runs.
    if (!slot.running) return;
    const { epoch, parked, settled = [], log } = owned;
    if (log?.skipped !== undefined) this.#parts.logWatch.noteSkipped(log.skipped);
    if (log !== undefined) this.#parts.logWatch.entered(log.change, log.partition, log.startAt);
    const opened = { partition: partition.partition, incarnation, epoch, parked, settled };
    try {
      await slot.open([log === undefined ? opened : { ...opened, log: log.log }]);
    } catch (error) {
      // If the thread has died, its replacement opens the partitions. Any other failure must be reported, or the partition would look open
      // and do nothing.
      if (slot.running) throw error;
    }
    if (!slot.running || !this.#isOpening(partition, incarnation)) return;
    partition.epoch = epoch;
    partition.parkedKeys = parked.length;
    if (log !== undefined) partition.enter(log);
    partition.phase = 'running';
    const place = assignment.place(partition);
    if (partition.next !== undefined) assignment.consumer?.seek({ ...place, offset: partition.next });
    assignment.resume(partition, 'opening');
    // Another reason to pause may have come up during the opening, and the consumer doesn't know it yet.
    if (partition.pauses.size > 0) assignment.consumer?.pause([place]);
  }

  /** Whether this opening still counts. A partition that drains is about to be given up and is not opened. */
  #isOpening(partition: AssignedPartition, incarnation: number): boolean {
    return partition.phase === 'opening' && this.#parts.assignment.isCurrent(partition, incarnation);
  }

  async #backOff(attempt: number): Promise<void> {
    await delay(this.#parts.timers, exponentialDelayMs(attempt, BACKOFF_MS.first, BACKOFF_MS.most));
  }
}

/** The positions in logs that the partition was opened with before. */
function progressOf({ partition, log, frontier, gaps }: AssignedPartition): LogProgress[] {
  if (log === undefined || frontier === undefined) return [];
  return [{ partition, log: log.log, position: gaps[0]?.from ?? frontier, endOffset: frontier }];
}
