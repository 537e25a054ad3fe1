// Tells whether orders flow through the whole fleet, from outside. Used by scenario.ts and main.ts, the capacity program and the upgrade test.

import type { ConnectedConfig } from '../../contracts/config/config.ts';
import { clusterOf } from '../../contracts/config/kafka-cluster.ts';
import { until } from '../../stack/system/index.ts';
import { openTickets } from '../chaos/drain.ts';
import type { PartitionProgress } from '../chaos/liveness/progress.ts';
import { ProgressReader } from '../chaos/liveness/progress-reader.ts';

/** Records of one partition that may wait while orders come: a few seconds of them. */
const BEHIND_MAX = 100;

export class Progress {
  readonly #config: ConnectedConfig;
  readonly #reader: ProgressReader;
  #last: PartitionProgress[] = [];

  constructor(config: ConnectedConfig, say: (line: string) => void) {
    this.#config = config;
    this.#reader = new ProgressReader(clusterOf(config), say);
  }

  /**
   * Waits until every partition of every role has been worked on since `since` and none is far behind. @returns what is left to do where
   * that did not come in time
   */
  flows(since: readonly PartitionProgress[], msMax: number): Promise<string | undefined> {
    const before = new Map(since.map((each) => [nameOf(each), each]));
    return this.#reach(msMax, async (all) =>
      all
        .filter((each) => {
          const { committed = 0 } = before.get(nameOf(each)) ?? {};
          return each.end - each.committed > BEHIND_MAX || (each.committed <= committed && each.end > each.committed);
        })
        .map(spoken),
    );
  }

  /**
   * Waits until every group has committed all that its topic holds and the crew has cooked everything: what it cooks is work again.
   * @returns what is left to do where that did not come in time
   */
  isDone(msMax: number): Promise<string | undefined> {
    return this.#reach(msMax, async (all) => {
      const late = all.filter(({ committed, end }) => committed < end).map(spoken);
      if (late.length > 0) return late;
      const open = await openTickets(this.#config);
      return open === 0 ? [] : [`${open} tickets are open`];
    });
  }

  /** How far every partition is; the last known state while the brokers do not answer. */
  async now(): Promise<PartitionProgress[]> {
    return (await this.#ask()) ?? this.#last;
  }

  async close(): Promise<void> {
    await this.#reader[Symbol.asyncDispose]();
  }

  async #ask(): Promise<PartitionProgress[] | undefined> {
    const all = await this.#reader.progress();
    this.#last = all ?? this.#last;
    return all;
  }

  /** What was known before the brokers went silent proves nothing, so only an answer counts. */
  async #reach(
    msMax: number,
    leftOf: (all: readonly PartitionProgress[]) => Promise<string[]>,
  ): Promise<string | undefined> {
    let left: string[] = [];
    const reached = await until(msMax, async () => {
      const all = await this.#ask();
      left = all === undefined ? ['the brokers do not tell the positions'] : await leftOf(all);
      return left.length === 0;
    });
    return reached ? undefined : left.join(', ');
  }
}

function nameOf({ group, partition }: PartitionProgress): string {
  return `${group} ${partition}`;
}

function spoken(each: PartitionProgress): string {
  return `${nameOf(each)} at ${each.committed} of ${each.end}`;
}
