import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { BoundedPool } from '../store/bounded-pool.ts';
import type { DatabaseOptions } from '../store/database.ts';
import { pruneDeadLetters } from '../store/dead-letter-retention.ts';
import { claimEpochs, type Subscription } from '../store/epochs.ts';
import { loadParkedKeys } from '../store/parked-keys.ts';
import type { Ownership, PartitionOwnership } from './host-ports.ts';

/** Longer than a claim waits for transactions of the epoch before. */
const CLAIM_MS_MAX = 10_000;
const PRUNE_INTERVAL_MS = 3_600_000;
const PRUNE_MS_MAX = 600_000;

/** The main thread's way to the store: claims epochs, loads parked keys and forgets old dead letters. */
export class OwnershipStore implements PartitionOwnership {
  readonly #pool: BoundedPool | undefined;
  readonly #subscription: Subscription;
  /** Who we are in the epoch table, for a person who looks there. */
  readonly #owner = `${hostname()}/${process.pid}/${randomUUID()}`;

  #pruning: NodeJS.Timeout | undefined;

  /**
   * @param onPruneFailure called when old dead letters could not be forgotten this time
   * @param deadLettersKeptMs how long dead letters are kept that were replayed or discarded
   */
  constructor(
    databaseUrl: string | undefined,
    role: string,
    subscription: Subscription,
    deadLettersKeptMs: number,
    onPruneFailure: (error: unknown) => void,
  ) {
    this.#subscription = subscription;
    if (databaseUrl === undefined) return;
    const options = { url: databaseUrl, connections: 2, application: role };
    this.#pool = new BoundedPool({ ...options, answerMsMax: CLAIM_MS_MAX });
    // Nothing depends on when it happens: after a failure the next hour will do. One that never succeeds fills the table.
    const prune = () => pruneOnce(options, subscription, deadLettersKeptMs).catch(onPruneFailure);
    this.#pruning = setInterval(prune, PRUNE_INTERVAL_MS).unref();
    prune();
  }

  async claim(partitions: readonly number[]): Promise<Map<number, Ownership>> {
    if (this.#pool === undefined)
      return new Map(partitions.map((partition) => [partition, { epoch: undefined, parked: [] }]));
    // One that was given up and is carried out late fences its own process, which then claims again.
    const epochs = await this.#pool.call((database) =>
      claimEpochs(database, this.#subscription, partitions, this.#owner),
    );
    // After the claim: nothing of an older epoch can park a key any more.
    const { parked, settled } = await this.#pool.call((database) =>
      loadParkedKeys(database, this.#subscription, partitions),
    );
    return new Map(
      partitions.map((partition) => [
        partition,
        {
          epoch: epochs.get(partition),
          parked: parked.filter((key) => key.partition === partition),
          settled: settled.filter((key) => key.partition === partition),
        },
      ]),
    );
  }

  async close(): Promise<void> {
    clearInterval(this.#pruning);
    await this.#pool?.close();
  }
}

/** On a connection of its own: it may take long, and no claim waits for it. */
async function pruneOnce(options: DatabaseOptions, subscription: Subscription, keptMs: number): Promise<void> {
  const pool = new BoundedPool({ ...options, connections: 1, answerMsMax: PRUNE_MS_MAX });
  try {
    await pool.call((database) => pruneDeadLetters(database, subscription, keptMs));
  } finally {
    await pool.close();
  }
}
