import { NotAMemberError } from '../../../kafka/index.ts';
import type { Logger } from '../../../telemetry/logger.ts';
import { stage } from '../../../telemetry/stages/stage.ts';
import type { StageClock } from '../../../telemetry/stages/stage-clock.ts';
import { StateLog } from '../../../telemetry/state-log.ts';
import { describeError } from '../../outage.ts';
import type { Timers } from '../../timers.ts';
import type { OutageBoard } from '../outage-board.ts';
import type { AssignedPartition } from './assigned-partition.ts';
import type { Assignment } from './assignment.ts';

/** Commits the frontiers: at intervals, and when the host asks for it. */
export class FrontierCommitter {
  readonly #assignment: Assignment;
  readonly #outages: OutageBoard;
  readonly #timers: Timers;
  readonly #stages: StageClock;
  readonly #states: StateLog;
  /** Commits are sent one after the other, so that an older position never overwrites a newer one. */
  #commits: Promise<void> = Promise.resolve();
  #stopTimer: (() => void) | undefined;

  constructor(assignment: Assignment, outages: OutageBoard, timers: Timers, stages: StageClock, logger: Logger) {
    this.#assignment = assignment;
    this.#outages = outages;
    this.#timers = timers;
    this.#stages = stages;
    this.#states = new StateLog(logger, timers);
  }

  start(intervalMs: number): void {
    this.#stopTimer = this.#timers.after(intervalMs, () => {
      this.start(intervalMs);
      this.commit([...this.#assignment.all()].filter(({ phase }) => phase !== 'draining'));
    });
  }

  stop(): void {
    this.#stopTimer?.();
  }

  /** If a commit fails, the next one includes its positions. If the partition is lost, the next owner repeats the work. */
  commit(partitions: AssignedPartition[]): Promise<void> {
    this.#commits = this.#commits.then(() => this.#commit(partitions));
    return this.#commits;
  }

  async #commit(partitions: AssignedPartition[]): Promise<void> {
    this.#stages.at(stage.commit);
    const positions = partitions.flatMap((partition) => {
      const { uncommitted } = partition;
      const current = this.#assignment.holds(partition);
      return current && uncommitted !== undefined ? [{ partition, offset: uncommitted }] : [];
    });
    if (positions.length === 0) {
      // With nothing left to commit, no commit would ever show that the outage is over.
      if ([...this.#assignment.all()].every(({ uncommitted }) => uncommitted === undefined))
        this.#over('nothing is left to commit');
      return;
    }
    const sentAt = this.#stages.now();
    const counted = positions.map(({ partition }) => partition.uncounted);
    try {
      await this.#assignment.consumer?.commit(
        positions.map(({ partition, offset }) => ({ ...this.#assignment.place(partition), offset })),
      );
      this.#stages.at(stage.commit);
      this.#stages.waited(stage.commit, this.#stages.now() - sentAt);
      let messages = 0;
      for (const [index, { partition, offset }] of positions.entries()) {
        partition.committed = offset;
        partition.uncounted -= counted[index] ?? 0;
        messages += counted[index] ?? 0;
      }
      this.#stages.passed(stage.commit, messages);
      this.#over('positions can be committed again');
    } catch (error) {
      if (error instanceof NotAMemberError) return;
      const reason = describeError(error);
      this.#outages.note('commit', 'broker', reason, this.#timers.now());
      this.#states.begin('commit', 'positions cannot be committed; trying again', { reason });
    }
  }

  #over(how: string): void {
    this.#outages.clear('commit');
    this.#states.end('commit', how);
  }
}
