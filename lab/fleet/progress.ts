// Tells whether orders flow through the whole fleet, from outside. Used by scenario.ts and main.ts.

import type { ConnectedConfig } from '../../contracts/config/config.ts';
import { clusterOf } from '../../contracts/config/kafka-cluster.ts';
import { type Admin, createAdmin } from '../../kafka/index.ts';
import { until } from '../../stack/system/index.ts';
import { type PartitionProgress, partitionProgress } from '../chaos/liveness/progress.ts';

/** Records of one partition that may wait while orders come: a few seconds of them. */
const BEHIND_MAX = 100;

export class Progress {
  readonly #config: ConnectedConfig;
  #admin: Admin | undefined;
  #last: PartitionProgress[] = [];

  constructor(config: ConnectedConfig) {
    this.#config = config;
  }

  /**
   * Waits until every partition of every role has been worked on since `since` and none is far behind. @returns what is left to do where
   * that did not come in time
   */
  async flows(since: readonly PartitionProgress[], msMax: number): Promise<string | undefined> {
    const before = new Map(since.map((each) => [nameOf(each), each]));
    const late = (all: readonly PartitionProgress[]) =>
      all.filter((each) => {
        const { committed = 0 } = before.get(nameOf(each)) ?? {};
        return each.end - each.committed > BEHIND_MAX || (each.committed <= committed && each.end > each.committed);
      });
    return this.#reach(late, msMax);
  }

  /** Waits until every group has committed all that its topic holds and the crew has cooked everything: what it cooks is work again. */
  isDone(msMax: number, openTickets: () => Promise<string>): Promise<string | undefined> {
    return this.#reach((all) => all.filter(({ committed, end }) => committed < end), msMax, openTickets);
  }

  /** How far every partition is; the last known state while the brokers do not answer. */
  async now(): Promise<PartitionProgress[]> {
    try {
      this.#admin ??= await createAdmin({ clientId: 'fleet', cluster: clusterOf(this.#config) });
      this.#last = await partitionProgress(this.#admin);
    } catch {
      // A broker is switched off on purpose: the next question goes to another one.
      await this.close();
    }
    return this.#last;
  }

  async close(): Promise<void> {
    const admin = this.#admin;
    this.#admin = undefined;
    // It was only read from, and its broker may be gone.
    await admin?.close().catch(() => {});
  }

  async #reach(
    late: (all: readonly PartitionProgress[]) => PartitionProgress[],
    msMax: number,
    openTickets = async () => '0',
  ): Promise<string | undefined> {
    let left: PartitionProgress[] = [];
    let open = '';
    const reached = await until(msMax, async () => {
      const all = await this.now();
      left = late(all);
      open = await openTickets();
      return all.length > 0 && left.length === 0 && open === '0';
    });
    if (reached) return undefined;
    const lines = left.map((each) => `${nameOf(each)} at ${each.committed} of ${each.end}`);
    if (open !== '0') lines.push(`${open} tickets are open`);
    return lines.length === 0 ? 'the brokers do not tell the positions' : lines.join(', ');
  }
}

function nameOf({ group, partition }: PartitionProgress): string {
  return `${group} ${partition}`;
}
