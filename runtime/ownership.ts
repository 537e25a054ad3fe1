import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { connectDatabase, type Database } from '../store/database.ts';
import { pruneDeadLetters } from '../store/dead-letter-retention.ts';
import { claimEpochs, type Subscription } from '../store/epochs.ts';
import { loadParkedKeys } from '../store/parked-keys.ts';
import type { Ownership, PartitionOwnership } from './host-ports.ts';

const PRUNE_INTERVAL_MS = 3_600_000;

/** The main thread's way to the store: claims epochs, loads parked keys and forgets old dead letters. */
export class OwnershipStore implements PartitionOwnership {
  readonly #database: Database | undefined;
  readonly #subscription: Subscription;
  /** Who we are in the epoch table, for a person who looks there. */
  readonly #owner = `${hostname()}/${process.pid}/${randomUUID()}`;

  #pruning: NodeJS.Timeout | undefined;

  /** @param deadLettersKeptMs how long dead letters are kept that were replayed or discarded */
  constructor(databaseUrl: string | undefined, role: string, subscription: Subscription, deadLettersKeptMs: number) {
    this.#subscription = subscription;
    if (databaseUrl === undefined) return;
    const database = connectDatabase({ url: databaseUrl, connections: 2, application: role });
    this.#database = database;
    // Nothing depends on when it happens: after a failure the next hour will do.
    const prune = () => pruneDeadLetters(database, subscription, deadLettersKeptMs).catch(() => {});
    this.#pruning = setInterval(prune, PRUNE_INTERVAL_MS).unref();
    prune();
  }

  async claim(partitions: readonly number[]): Promise<Map<number, Ownership>> {
    if (this.#database === undefined)
      return new Map(partitions.map((partition) => [partition, { epoch: undefined, parked: [] }]));
    const epochs = await claimEpochs(this.#database, this.#subscription, partitions, this.#owner);
    // After the claim: nothing of an older epoch can park a key any more.
    const { parked, settled } = await loadParkedKeys(this.#database, this.#subscription, partitions);
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
    await this.#database?.end({ timeout: 1 });
  }
}
