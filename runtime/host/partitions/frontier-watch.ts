// Notices partitions that stand for an unknown reason. The host calls it at intervals.

import type { Standing } from '../../../kafka/index.ts';
import type { Logger } from '../../../telemetry/logger.ts';
import { stateEnded } from '../../../telemetry/state-log.ts';
import { ObservedTime } from '../../observed-time.ts';
import type { Timers } from '../../timers.ts';
import type { AssignedPartition } from './assigned-partition.ts';

const LOOK_MS = 1_000;
/** A message that holds its partition's frontier for this long is reported. Readiness must show it within 15 s. */
const HELD_MS = 12_000;

export interface FrontierWatchOptions {
  topic: string;
  partitions(): Iterable<AssignedPartition>;
  /** Whether an outage or a waiting message is known, which has been reported already. */
  isExplained(): boolean;
  timers: Timers;
  logger: Logger;
}

/**
 * Reports partitions whose first unfinished message does not finish, for a reason that no other check has found: a lock that an actor waits
 * for, a call that never returns, a fault of the runtime itself. The host calls it at intervals.
 */
export class FrontierWatch {
  readonly #options: FrontierWatchOptions;
  readonly #observed: ObservedTime;
  /** By partition, since when it stands. */
  readonly #told = new Map<number, number>();
  #cancel: (() => void) | undefined;

  constructor(options: FrontierWatchOptions) {
    this.#options = options;
    this.#observed = new ObservedTime(LOOK_MS, options.timers.now());
  }

  start(): void {
    this.#cancel = this.#options.timers.after(LOOK_MS, () => {
      this.start();
      this.#observed.look(this.#options.timers.now());
      this.#look();
    });
  }

  stop(): void {
    this.#cancel?.();
  }

  /** Observed time, in which the ages of frontiers are measured. */
  now(): number {
    return this.#observed.at(this.#options.timers.now());
  }

  get standing(): Standing[] {
    const { topic, partitions, isExplained, timers } = this.#options;
    if (isExplained()) return [];
    const [now, at] = [this.now(), timers.now()];
    return [...partitions()]
      .filter((partition) => partition.phase === 'running' && partition.frontierAgeMs(now) >= HELD_MS)
      .map((partition) => ({
        partition: { topic, partition: partition.partition },
        reason: `the message at offset ${partition.frontier} does not finish`,
        since: at - partition.frontierAgeMs(now),
      }));
  }

  #look(): void {
    const { topic, logger, timers } = this.#options;
    const standing = new Map(this.standing.map((one) => [one.partition?.partition ?? -1, one]));
    for (const [partition, { reason, since }] of standing) {
      if (this.#told.has(partition)) continue;
      this.#told.set(partition, since);
      logger.error({ topic, partition, reason }, 'partition stands');
    }
    for (const [partition, since] of this.#told) {
      if (standing.has(partition)) continue;
      this.#told.delete(partition);
      logger.info(
        { topic, partition, heldMs: Math.max(0, timers.now() - since), ...stateEnded },
        'partition moves again, or its reason is known',
      );
    }
  }
}
