// Asks the brokers again and again how far each group has come. Used by watch.ts and by the fleet.

import type { KafkaCluster } from '../../../contracts/config/kafka-cluster.ts';
import { type Admin, createAdmin } from '../../../kafka/index.ts';
import { type PartitionProgress, partitionProgress } from './progress.ts';

/** Keeps one connection for all questions, and makes a new one after a failure: its broker may be away. */
export class ProgressReader implements AsyncDisposable {
  readonly #cluster: KafkaCluster;
  readonly #say: (line: string) => void;
  #admin: Admin | undefined;
  /** Why the last question failed. */
  #failure = '';

  constructor(cluster: KafkaCluster, say: (line: string) => void) {
    this.#cluster = cluster;
    this.#say = say;
  }

  async progress(): Promise<PartitionProgress[] | undefined> {
    try {
      this.#admin ??= await createAdmin({ clientId: 'liveness', cluster: this.#cluster });
      const progress = await partitionProgress(this.#admin);
      if (this.#failure !== '') this.#say('the brokers tell the positions again');
      this.#failure = '';
      return progress;
    } catch (error) {
      const reason = (error as Error).message;
      // Without positions nothing is judged, so a reader must see that. For the oracle the time of each partition goes on.
      if (this.#failure === '') this.#say(`the brokers do not tell the positions, so nothing is judged: ${reason}`);
      this.#failure = reason;
      await this[Symbol.asyncDispose]();
      return undefined;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const admin = this.#admin;
    this.#admin = undefined;
    // It was only read from, and its broker may be gone.
    await admin?.close().catch(() => {});
  }
}
