// The main thread's access to PostgreSQL: epochs, parked keys, retention of dead letters.

import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { KafkaCluster } from '../../../contracts/config/kafka-cluster.ts';
import {
  BoundedPool,
  claimEpochs,
  type DatabaseOptions,
  type DatabaseServer,
  type LogProgress,
  loadParkedKeys,
  pruneDeadLetters,
  type Subscription,
} from '../../../store/index.ts';
import type { Ownership, PartitionOwnership } from '../host-ports.ts';
import { TopicLogKeeper } from './log-keeper.ts';

/** Longer than a claim waits for transactions of the previous epoch. */
const CLAIM_MS_MAX = 10_000;
const PRUNE_INTERVAL_MS = 3_600_000;
const PRUNE_MS_MAX = 600_000;

export interface OwnershipOptions {
  /** Undefined: no epochs, and nothing is remembered. */
  database: DatabaseServer | undefined;
  role: string;
  cluster: KafkaCluster;
  /** How long replayed and discarded dead letters are kept. */
  deadLettersKeptMs: number;
}

export interface OwnershipHooks {
  /** Old dead letters could not be removed this time. */
  onPruneFailure(error: unknown): void;
  /** Sessions of an earlier owner block a claim and cannot be ended. */
  onClaimBlocked(error: unknown): void;
  /** A claim succeeded. */
  onClaimed(): void;
}

/** Claims epochs, loads parked keys and removes old dead letters, for the main thread. `PartitionOpener` calls `claim`. */
export class OwnershipStore implements PartitionOwnership {
  readonly #pool: BoundedPool | undefined;
  readonly logs: TopicLogKeeper;
  readonly #subscription: Subscription;
  readonly #hooks: OwnershipHooks;
  /** Stands in the epoch table, for people who look there. */
  readonly #owner = `${hostname()}/${process.pid}/${randomUUID()}`;

  #pruning: NodeJS.Timeout | undefined;

  constructor(options: OwnershipOptions, subscription: Subscription, hooks: OwnershipHooks) {
    const { database, role, cluster, deadLettersKeptMs } = options;
    this.#subscription = subscription;
    this.#hooks = hooks;
    const kafka = { clientId: `${role}-logs`, cluster };
    if (database === undefined) {
      this.logs = new TopicLogKeeper(kafka, subscription, undefined);
      return;
    }
    const pool = { server: database, connections: 2, application: role };
    this.#pool = new BoundedPool({ ...pool, answerMsMax: CLAIM_MS_MAX });
    this.logs = new TopicLogKeeper(kafka, subscription, this.#pool);
    // After a failure the next hour will do. If it never succeeds, the table grows, so failures are logged.
    const prune = () => pruneOnce(pool, subscription, deadLettersKeptMs).catch(hooks.onPruneFailure);
    this.#pruning = setInterval(prune, PRUNE_INTERVAL_MS).unref();
    prune();
  }

  async claim(wanted: readonly number[], progress: readonly LogProgress[] = []): Promise<Map<number, Ownership>> {
    await this.logs.progress(progress);
    // First, so that no epoch is claimed while Kafka does not answer.
    const seen = await this.logs.see(wanted);
    const partitions = seen.map(({ partition }) => partition);
    if (partitions.length === 0) return new Map();
    if (this.#pool === undefined) {
      const logs = await this.logs.enter(seen);
      return new Map(logs.map((log) => [log.partition, { epoch: undefined, parked: [], log }]));
    }
    // If a claim is given up here and still takes effect at the server, it fences this process itself, which then claims again.
    const epochs = await this.#pool.call((database) =>
      claimEpochs(database, this.#subscription, partitions, this.#owner, this.#hooks.onClaimBlocked),
    );
    this.#hooks.onClaimed();
    // After the claim, because from now on nothing of an older epoch can park a key.
    const logs = await this.logs.enter(seen);
    const places = logs.map(({ partition, log, startAt }) => ({ partition, log, position: startAt }));
    const loaded = await this.#pool.call((database) => loadParkedKeys(database, this.#subscription, places));
    const parked = Map.groupBy(loaded.parked, ({ partition }) => partition);
    const settled = Map.groupBy(loaded.settled, ({ partition }) => partition);
    return new Map(
      logs.map((log) => [
        log.partition,
        {
          epoch: epochs.get(log.partition),
          parked: parked.get(log.partition) ?? [],
          settled: settled.get(log.partition) ?? [],
          log,
        },
      ]),
    );
  }

  async close(): Promise<void> {
    clearInterval(this.#pruning);
    await this.#pool?.close();
    await this.logs.close();
  }
}

/** On a connection of its own: it may take long, and no claim should wait for it. */
async function pruneOnce(options: DatabaseOptions, subscription: Subscription, keptMs: number): Promise<void> {
  const pool = new BoundedPool({ ...options, connections: 1, answerMsMax: PRUNE_MS_MAX });
  try {
    await pool.call((database) => pruneDeadLetters(database, subscription, keptMs));
  } finally {
    await pool.close();
  }
}
