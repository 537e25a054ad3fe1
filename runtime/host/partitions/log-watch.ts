// Notices that the topic was replaced or has lost records. Runs in the main thread.

import type { TopicLook } from '../../../kafka/index.ts';
import type { LogChange, SkippedRange } from '../../../store/index.ts';
import type { Logger } from '../../../telemetry/logger.ts';
import { describeError } from '../../outage.ts';
import type { Timers } from '../../timers.ts';
import type { AssignedPartition } from './assigned-partition.ts';
import type { Assignment } from './assignment.ts';
import type { LogKeeper } from './log-keeper.ts';

const LOOK_INTERVAL_MS = 5_000;
/** Interval of checks while a gap holds up the commits. */
const GAP_INTERVAL_MS = 1_000;
/** How long `/readyz` shows a change: longer than the interval between two readiness probes. */
const NEWS_MS = 30_000;
/** A leader that was just elected may not know the whole log for a moment. */
const SHORTER_LOOKS = 2;

export interface LogWatchParts {
  topic: string;
  assignment: Assignment;
  /** Absent in a simulation. */
  logs: LogKeeper | undefined;
  timers: Timers;
  logger: Logger;
  /** Called with partitions that must be opened again, because their log has changed. */
  reopen(partitions: AssignedPartition[]): void;
  skipped(messages: number, reason: SkippedRange['reason']): void;
  changed(change: LogChange): void;
}

export type TopicFault = 'missing' | 'partitions';

/**
 * Checks every few seconds whether the topic is still the same one, and whether records were removed before they were read. Kafka and its
 * clients report neither; they go on with the records that are there.
 */
export class LogWatch {
  readonly #parts: LogWatchParts;
  /** What is wrong with the topic now, in words. */
  readonly #faults = new Map<TopicFault, string>();
  #news: { text: string; stop(): void } | undefined;
  /** How many times in a row each partition looked shorter. */
  readonly #shorter = new Map<AssignedPartition, number>();
  #looking = false;
  /** A check because of gaps is scheduled. */
  #lookAgain = false;
  #stopTimer: (() => void) | undefined;
  #stopped = false;

  constructor(parts: LogWatchParts) {
    this.#parts = parts;
  }

  start(): void {
    if (this.#parts.logs === undefined || this.#stopped) return;
    this.#stopTimer = this.#parts.timers.after(LOOK_INTERVAL_MS, () => {
      this.#look().then(() => this.start());
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#stopTimer?.();
    this.#news?.stop();
  }

  /** For readiness. */
  get summary(): string | undefined {
    const told = [...this.#faults.values(), ...(this.#news === undefined ? [] : [this.#news.text])];
    return told.length === 0 ? undefined : told.join('; ');
  }

  has(fault: TopicFault): boolean {
    return this.#faults.has(fault);
  }

  /** Called by the opener when a partition was opened. */
  entered(change: LogChange | undefined, partition: number, startAt: number): void {
    const { topic, logger, changed } = this.#parts;
    if (change === undefined) return;
    changed(change);
    if (change === 'elsewhere') {
      logger.info(
        { topic, partition, startAt },
        'the log is that of another cluster; what is known by offsets of the other one is void',
      );
      return;
    }
    const what = change === 'recreated' ? 'was deleted and created again' : 'has lost records at its end';
    logger.error(
      { topic, partition, startAt },
      `the topic ${what}: offsets of before are void, work begins at its oldest record`,
    );
    this.#tell(`${topic} ${what}; work has begun at its oldest record`);
  }

  /** Called when records were removed before they were read. */
  noteSkipped({ partition, from, to, reason }: SkippedRange): void {
    const { topic, logger, skipped } = this.#parts;
    skipped(to - from, reason);
    logger.error(
      { topic, partition, from, to: to - 1, messages: to - from, reason },
      'records were removed before they were read; nothing will come of them',
    );
    this.#tell(
      `${to - from} records of ${topic} (partition ${partition}, offsets ${from} to ${to - 1}) were removed before they were read`,
    );
  }

  /**
   * Called for offsets that were missing in a fetch. Before anything is committed, a check tells whether they were removed or never were
   * records.
   */
  gap(partition: AssignedPartition, from: number, to: number): void {
    if (this.#parts.logs === undefined) return;
    partition.gaps.push({ from, to });
    this.#look();
  }

  async #look(): Promise<void> {
    const { assignment, logs, timers, logger } = this.#parts;
    if (logs === undefined || this.#looking || this.#stopped) return;
    this.#looking = true;
    try {
      const partitions = [...assignment.all()];
      // Taken before the check: a gap that comes during the check is not judged by this check but by the next one.
      const before = new Map(partitions.map((each) => [each, { next: each.next ?? 0, gaps: each.gaps.length }]));
      const look = await logs.look(partitions.map(({ partition }) => partition));
      this.#fault('missing', look === undefined ? `topic ${this.#parts.topic} does not exist` : undefined);
      if (look === undefined) return;
      await this.#comparePartitions(look.partitions);
      const open = partitions.filter(
        (each) => each.phase === 'running' && assignment.holds(each) && each.log !== undefined,
      );
      const others = open.filter((each) => this.#isAnother(each, look, before.get(each)?.next ?? 0));
      // The check has no range for a partition without a leader, so it can't be judged now.
      const same = open.filter((each) => !others.includes(each) && look.ranges.has(each.partition));
      for (const partition of same) {
        const { next, gaps } = before.get(partition) ?? { next: 0, gaps: 0 };
        await this.#judge(partition, look.ranges.get(partition.partition)?.earliest ?? 0, next, gaps);
      }
      await logs.progress(
        same.map((each) => ({
          partition: each.partition,
          log: each.log?.log ?? 0,
          position: each.gaps[0]?.from ?? each.frontier ?? 0,
          endOffset: look.ranges.get(each.partition)?.latest ?? 0,
        })),
      );
      const current = others.filter((each) => assignment.holds(each) && each.phase === 'running');
      if (current.length > 0) this.#parts.reopen(current);
    } catch (error) {
      // An outage of Kafka or the database is reported elsewhere; the next check comes soon.
      logger.debug({ reason: describeError(error) }, 'cannot look at the topic; trying again');
    } finally {
      this.#looking = false;
    }
    if (this.#lookAgain || ![...assignment.all()].some(({ gaps }) => gaps.length > 0)) return;
    this.#lookAgain = true;
    timers.after(GAP_INTERVAL_MS, () => {
      this.#lookAgain = false;
      this.#look();
    });
  }

  #isAnother(partition: AssignedPartition, look: TopicLook, next: number): boolean {
    if (partition.log?.logId !== look.logId) return true;
    const range = look.ranges.get(partition.partition);
    const seen = range !== undefined && range.latest < next ? (this.#shorter.get(partition) ?? 0) + 1 : 0;
    if (seen === 0) this.#shorter.delete(partition);
    else this.#shorter.set(partition, seen);
    return seen >= SHORTER_LOOKS;
  }

  /**
   * Notes which records of the partition were removed before they were read. The note is durable before the frontier may be committed past
   * them.
   * @param next the position before the check
   * @param gaps how many gaps the partition had before the check
   */
  async #judge(partition: AssignedPartition, earliest: number, next: number, gaps: number): Promise<void> {
    const { assignment, logs } = this.#parts;
    let left = gaps;
    // The records were not fetched yet, because the partition is paused or slow. Work goes on with the oldest record that is left.
    if (next < earliest && partition.next === next && assignment.holds(partition)) {
      partition.gaps.push({ from: next, to: earliest });
      partition.next = earliest;
      assignment.consumer?.seek({ ...assignment.place(partition), offset: earliest });
      left = partition.gaps.length;
    }
    for (; left > 0; left--) {
      const gap = partition.gaps[0];
      if (gap === undefined) return;
      const from = Math.max(gap.from, partition.skippedTo);
      const to = Math.min(gap.to, earliest);
      if (from < to) {
        const range: SkippedRange = {
          partition: partition.partition,
          log: partition.log?.log ?? 0,
          from,
          to,
          reason: 'removed',
        };
        await logs?.skipped(range);
        partition.skippedTo = to;
        this.noteSkipped(range);
      }
      partition.gaps.shift();
    }
  }

  async #comparePartitions(count: number): Promise<void> {
    const { topic, logs } = this.#parts;
    const remembered = (await logs?.remembered(count)) ?? count;
    this.#fault(
      'partitions',
      remembered === count
        ? undefined
        : `topic ${topic} has ${count} partitions, its orders were written with ${remembered}: docs/operations/topics.md says what to do`,
    );
  }

  #fault(fault: TopicFault, text: string | undefined): void {
    const { topic, logger } = this.#parts;
    const known = this.#faults.get(fault);
    if (text === undefined) {
      this.#faults.delete(fault);
      if (known !== undefined) logger.info({ topic }, `over: ${known}`);
    } else {
      this.#faults.set(fault, text);
      if (known === undefined) logger.error({ topic }, text);
    }
  }

  #tell(text: string): void {
    this.#news?.stop();
    this.#news = {
      text,
      stop: this.#parts.timers.after(NEWS_MS, () => {
        this.#news = undefined;
      }),
    };
  }
}
