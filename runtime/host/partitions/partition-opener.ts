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

/** A claim that takes longer is taken for an outage, and goes on waiting. */
const CLAIM_ANSWER_MS_MAX = 3_000;
/** The key of the logged state in which partitions cannot be opened. */
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

/** From assigned to running: claims a partition's epoch and hands it to its thread. Also the way back when the claim is contested. */
export class PartitionOpener {
  readonly #parts: PartitionOpenerParts;
  readonly #states: StateLog;

  constructor(parts: PartitionOpenerParts) {
    this.#parts = parts;
    this.#states = new StateLog(parts.logger, parts.timers);
  }

  /**
   * Claims the epochs and hands the partitions to their threads; for as long as it takes, or until they are no longer ours. An assignment and
   * a thread's replacement may both open a partition: each opening is a generation of its own and only the last one counts, for the one before
   * may have been given messages already that a second `open` of the thread would drop.
   */
  async open(partitions: AssignedPartition[]): Promise<void> {
    const { assignment, ownership, outages, timers } = this.#parts;
    const wanted = partitions.map((partition) => {
      partition.generation = assignment.nextGeneration();
      return { partition, generation: partition.generation };
    });
    for (let attempt = 1; ; attempt++) {
      const stillWanted = () => wanted.filter(({ partition, generation }) => this.#isOpening(partition, generation));
      const current = stillWanted();
      if (current.length === 0) return;
      // A claim waits for a server that takes connections and never answers; readiness should not.
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
          current.map(({ partition, generation }) =>
            this.#openOne(partition, generation, owned.get(partition.partition)),
          ),
        );
        if (closed.length === 0) {
          this.#states.end(OPENING, 'partitions can be opened again');
          return;
        }
        const leaderless = closed.map(({ partition }) => partition.partition).join(', ');
        throw new KafkaUnavailableError(`partitions ${leaderless} have no leader that answers; the others are open`);
      } catch (error) {
        // Whatever the error, partitions can't be worked on without their epochs: wait, say so, try again.
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
   * A newer epoch owns a partition that we take for ours. A successful commit proves that the group still counts us, so the newer
   * epoch is that of a member which is out and came late: we claim the next one. Otherwise the partition is no longer ours.
   */
  async reclaim(partition: AssignedPartition): Promise<void> {
    const { assignment, logger } = this.#parts;
    if (partition.phase === 'draining') return;
    logger.warn({ partition: partition.partition }, 'fenced by a newer epoch');
    assignment.restart(partition);
    const { generation } = partition;
    const proving = `proving ${partition.partition}`;
    for (let attempt = 1; this.#isOpening(partition, generation); attempt++) {
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
    const isOurs = this.#isOpening(partition, generation);
    const outcome = isOurs ? 'the membership is proven' : 'the partition is no longer to be opened';
    this.#states.end(proving, outcome, assignment.place(partition));
    if (isOurs) await this.open([partition]);
  }

  /** Their log is another one: they are opened again, in the log that is there now. */
  async reopen(partitions: AssignedPartition[]): Promise<void> {
    for (const partition of partitions) {
      this.#parts.slots.at(partition.slot)?.close([partition.partition]);
      this.#parts.assignment.restart(partition);
    }
    await this.open(partitions);
  }

  /** They are no longer ours: nothing of them is committed, and what their threads still do with them is dropped. */
  forget(partitions: AssignedPartition[]): void {
    const { assignment, slots, outages } = this.#parts;
    for (const partition of partitions)
      if (assignment.remove(partition)) slots.at(partition.slot)?.close([partition.partition]);
    // With nothing left to open, an outage would never be seen to end: whoever claims next finds out.
    if ([...assignment.all()].some(({ phase }) => phase === 'opening')) return;
    outages.clear('assignment');
    this.#states.end(OPENING, 'no partition is left to open');
  }

  #cannotOpen(reason: string): void {
    this.#states.begin(OPENING, 'cannot open partitions; trying again', { reason });
  }

  async #openOne(partition: AssignedPartition, generation: number, owned: Ownership | undefined): Promise<void> {
    const { assignment, slots } = this.#parts;
    const slot = slots.at(partition.slot);
    if (slot === undefined || owned === undefined || !this.#isOpening(partition, generation)) return;
    // A thread that is just being replaced opens its partitions itself once it runs.
    if (!slot.running) return;
    const { epoch, parked, settled = [], log } = owned;
    if (log?.skipped !== undefined) this.#parts.logWatch.noteSkipped(log.skipped);
    if (log !== undefined) this.#parts.logWatch.entered(log.change, log.partition, log.startAt);
    const opened = { partition: partition.partition, generation, epoch, parked, settled };
    try {
      await slot.open([log === undefined ? opened : { ...opened, log: log.log }]);
    } catch (error) {
      // A thread that died meanwhile opens its partitions when it is replaced. Any other failure would leave one that stands and looks open.
      if (slot.running) throw error;
    }
    if (!slot.running || !this.#isOpening(partition, generation)) return;
    partition.epoch = epoch;
    partition.parkedKeys = parked.length;
    if (log !== undefined) partition.enter(log);
    partition.phase = 'running';
    const place = assignment.place(partition);
    if (partition.next !== undefined) assignment.consumer?.seek({ ...place, offset: partition.next });
    assignment.resume(partition, 'opening');
    // While it was opening, another reason to wait may have come up, which the consumer doesn't know of.
    if (partition.pauses.size > 0) assignment.consumer?.pause([place]);
  }

  /** Not given up meanwhile, not even in part: a partition that drains is on its way out. */
  #isOpening(partition: AssignedPartition, generation: number): boolean {
    return partition.phase === 'opening' && this.#parts.assignment.isCurrent(partition, generation);
  }

  async #backOff(attempt: number): Promise<void> {
    await delay(this.#parts.timers, exponentialDelayMs(attempt, BACKOFF_MS.first, BACKOFF_MS.most));
  }
}

/** How far a partition has come in a log that it was opened with before. */
function progressOf({ partition, log, frontier, gaps }: AssignedPartition): LogProgress[] {
  if (log === undefined || frontier === undefined) return [];
  return [{ partition, log: log.log, position: gaps[0]?.from ?? frontier, endOffset: frontier }];
}
