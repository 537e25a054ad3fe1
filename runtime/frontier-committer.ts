import { NotAMemberError } from '../kafka/errors.ts';
import type { AssignedPartition } from './assigned-partition.ts';
import type { Assignment } from './assignment.ts';
import { describeError } from './outage.ts';
import type { OutageBoard } from './outage-board.ts';
import type { Timers } from './timers.ts';

/** Commits the frontiers, now and then and when it is told to. */
export class FrontierCommitter {
  readonly #assignment: Assignment;
  readonly #outages: OutageBoard;
  readonly #timers: Timers;
  /** Commits are sent one after the other, so that an older position never overwrites a newer one. */
  #commits: Promise<void> = Promise.resolve();
  #stopTimer: (() => void) | undefined;

  constructor(assignment: Assignment, outages: OutageBoard, timers: Timers) {
    this.#assignment = assignment;
    this.#outages = outages;
    this.#timers = timers;
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

  /** What can't be committed now is committed later or, by the next owner, worked on again. */
  commit(partitions: AssignedPartition[]): Promise<void> {
    this.#commits = this.#commits.then(() => this.#commit(partitions));
    return this.#commits;
  }

  async #commit(partitions: AssignedPartition[]): Promise<void> {
    const positions = partitions.flatMap((partition) => {
      const { uncommitted } = partition;
      const current = this.#assignment.holds(partition);
      return current && uncommitted !== undefined ? [{ partition, offset: uncommitted }] : [];
    });
    if (positions.length === 0) {
      // With nothing left to commit, an outage would never be seen to end: whoever commits next finds out.
      if ([...this.#assignment.all()].every(({ uncommitted }) => uncommitted === undefined))
        this.#outages.clear('commit');
      return;
    }
    try {
      await this.#assignment.consumer?.commit(
        positions.map(({ partition, offset }) => ({ ...this.#assignment.place(partition), offset })),
      );
      for (const { partition, offset } of positions) partition.committed = offset;
      this.#outages.clear('commit');
    } catch (error) {
      if (error instanceof NotAMemberError) return;
      this.#outages.note('commit', 'broker', describeError(error), this.#timers.now());
    }
  }
}
