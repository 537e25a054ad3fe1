// Watches a running system for partitions and roles that stand. Used by the chaos run and by the drill.

import type { KafkaCluster } from '../../../contracts/config/kafka-cluster.ts';
import { pause } from '../../../contracts/deadline.ts';
import { type AdminAddress, readyAnswers, runtimePages } from './admin-pages.ts';
import { takeGroupEvidence } from './evidence.ts';
import { LivenessOracle } from './oracle.ts';
import type { PartitionProgress } from './progress.ts';
import { ProgressReader } from './progress-reader.ts';

const POLL_MS = 1_000;
const SAY_MS = 15_000;

export interface WatchOptions {
  /** Without a proxy in between. */
  cluster: KafkaCluster;
  roles(): readonly AdminAddress[];
  /** Where evidence is written. */
  directory: string;
  /** For the lines that say how far everything has come. */
  accepted(): number;
  say(line: string): void;
}

export interface LivenessWatch {
  /** The last fault is mended. From now on nothing may stand. */
  mended(): void;
  /** Partitions and roles that stood for too long after that. */
  readonly stood: number;
  /** Partitions that stood while faults were on, and no process reported them. */
  readonly silent: number;
  /** Every role said so when it was last asked. */
  readonly allReady: boolean;
  close(): Promise<void>;
}

/** Asks brokers and roles once a second until it is closed, and says at once what stands. */
export function watchLiveness(options: WatchOptions): LivenessWatch {
  const { cluster, roles, directory, say, accepted } = options;
  const oracle = new LivenessOracle();
  const closing = new AbortController();
  let stood = 0;
  let silent = 0;
  let allReady = false;
  let saidAt = performance.now();

  /** Taken beside the questions, which go on: where the brokers are slow, it takes long. */
  const evidence: Promise<void>[] = [];

  const judge = (all: PartitionProgress[]): void => {
    const now = performance.now();
    if (now - saidAt >= SAY_MS) {
      saidAt = now;
      say(`${accepted()} orders accepted; lag ${lags(all)}`);
    }
    const found = oracle.partitions(all, now);
    stood += found.stood.length;
    silent += found.silent.length;
    for (const [how, partitions] of [
      ['stands', found.stood],
      ['stands in silence', found.silent],
    ] as const) {
      for (const { group, partition, committed, end, since } of partitions)
        say(`VIOLATION ${group} ${partition} ${how} at ${committed} of ${end} ${sinceText(since, now)}`);
      for (const [group, ofGroup] of Map.groupBy(partitions, (each) => each.group)) {
        const numbers = ofGroup.map(({ partition }) => partition);
        const sayOwners = async () => {
          const pages = await runtimePages(roles(), group);
          const lines = await takeGroupEvidence({ cluster, directory, group, partitions: numbers, pages });
          for (const line of lines) say(`    ${group} ${line}`);
        };
        evidence.push(sayOwners());
      }
    }
  };
  const askBrokers = async () => {
    await using asker = new ProgressReader(cluster, say);
    while (!closing.signal.aborted) {
      const all = await asker.progress();
      if (all !== undefined) judge(all);
      await pause(POLL_MS, closing.signal);
    }
  };
  const askRoles = async () => {
    while (!closing.signal.aborted) {
      const answers = await readyAnswers(roles());
      const now = performance.now();
      allReady = [...answers.values()].every(({ reason }) => reason === undefined);
      const unready = oracle.readiness(answers, now);
      stood += unready.length;
      for (const { name, reason, since } of unready)
        say(`VIOLATION ${name} is not ready ${sinceText(since, now)}: ${reason}`);
      await pause(POLL_MS, closing.signal);
    }
  };
  const asking = Promise.all([askBrokers(), askRoles()]);
  // `close` awaits the same promise and throws a failure.
  asking.catch(() => {});
  return {
    mended: () => oracle.mended(),
    get stood() {
      return stood;
    },
    get silent() {
      return silent;
    },
    get allReady() {
      return allReady;
    },
    async close() {
      closing.abort();
      await asking;
      await Promise.all(evidence);
    },
  };
}

function lags(all: readonly PartitionProgress[]): string {
  return [...Map.groupBy(all, ({ group }) => group)]
    .map(([group, of]) => `${group} ${of.reduce((sum, { committed, end }) => sum + end - committed, 0)}`)
    .join(', ');
}

function sinceText(since: number, now: number): string {
  const at = new Date(Date.now() - (now - since)).toISOString().slice(11, 19);
  return `since ${at}, for ${Math.round((now - since) / 1_000)} s`;
}
