import type { KafkaCluster } from '../contracts/config/kafka-cluster.ts';
import { type Admin, createAdmin } from '../kafka/index.ts';

/** A Kafka admin client that connects at its first use, and again after a failure. So the display can start while Kafka is down. */
export class LazyAdmin implements Pick<Admin, 'offsets' | 'committedOffsets'> {
  readonly #cluster: KafkaCluster;
  #admin: Promise<Admin> | undefined;

  constructor(cluster: KafkaCluster) {
    this.#cluster = cluster;
  }

  async offsets(topic: string) {
    return (await this.#connected()).offsets(topic);
  }

  async committedOffsets(group: string, topic: string) {
    return (await this.#connected()).committedOffsets(group, topic);
  }

  async close(): Promise<void> {
    // An admin that could not connect has nothing to close.
    await this.#admin?.then(
      (admin) => admin.close(),
      () => {},
    );
  }

  #connected(): Promise<Admin> {
    this.#admin ??= createAdmin({ clientId: 'ordermesh-display', cluster: this.#cluster }).catch((error: Error) => {
      this.#admin = undefined;
      throw error;
    });
    return this.#admin;
  }
}
