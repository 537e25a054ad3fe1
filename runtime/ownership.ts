import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { connectDatabase, type Database } from '../store/database.ts';
import { claimEpochs, type Subscription } from '../store/epochs.ts';
import { loadParkedKeys } from '../store/parked-keys.ts';
import type { Ownership, PartitionOwnership } from './host-ports.ts';

/** The main thread's way to the store: claims epochs and loads parked keys. */
export class OwnershipStore implements PartitionOwnership {
  readonly #database: Database | undefined;
  readonly #subscription: Subscription;
  /** Who we are in the epoch table, for a person who looks there. */
  readonly #owner = `${hostname()}/${process.pid}/${randomUUID()}`;

  constructor(databaseUrl: string | undefined, role: string, subscription: Subscription) {
    this.#subscription = subscription;
    if (databaseUrl !== undefined)
      this.#database = connectDatabase({ url: databaseUrl, connections: 2, application: role });
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
    await this.#database?.end({ timeout: 1 });
  }
}
