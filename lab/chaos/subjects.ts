import { setTimeout as delay } from 'node:timers/promises';
import type { KafkaCluster } from '../../contracts/config/kafka-cluster.ts';
import { allTopics } from '../../contracts/topics.ts';
import { createAdmin } from '../../kafka/index.ts';
import type { Cluster } from './cluster.ts';
import type { Database } from './database.ts';
import { bounceLeaders, coordinatorOf, type JavaTools } from './java-tools.ts';
import type { ManagedServer } from './managed-server.ts';
import type { WorkerZone } from './plan.ts';
import type { Processes } from './processes.ts';
import { brokers, type Zone } from './topology.ts';
import type { Toxiproxy } from './toxiproxy/server.ts';
import type { Wire } from './wire/wire.ts';

const REPLICATED_MS_MAX = 90_000;
const POLL_MS = 500;

/** Everything that a fault can hit. */
export class Subjects {
  readonly processes: Processes;
  readonly database: Database;
  readonly network: Toxiproxy;
  readonly wires: Readonly<Record<WorkerZone, Wire>>;
  /** As a client in a zone knows it; without a zone, without a proxy before it. */
  readonly clusterOf: (zone?: Zone) => KafkaCluster;
  readonly #cluster: Cluster;
  readonly #tools: JavaTools;
  readonly #partitions: number;

  constructor(parts: {
    processes: Processes;
    database: Database;
    network: Toxiproxy;
    wires: Readonly<Record<WorkerZone, Wire>>;
    clusterOf(zone?: Zone): KafkaCluster;
    cluster: Cluster;
    tools: JavaTools;
    /** Of each topic. */
    partitions: number;
  }) {
    this.processes = parts.processes;
    this.database = parts.database;
    this.network = parts.network;
    this.wires = parts.wires;
    this.clusterOf = parts.clusterOf;
    this.#cluster = parts.cluster;
    this.#tools = parts.tools;
    this.#partitions = parts.partitions;
  }

  node(id: number): ManagedServer {
    const node = this.#cluster.nodes.get(id);
    if (node === undefined) throw new Error(`there is no broker ${id}`);
    return node;
  }

  coordinatorOf(group: string): Promise<number> {
    return coordinatorOf(this.#tools, group);
  }

  bounceLeaders(rotation: number): Promise<void> {
    const topics = allTopics.map((topic) => ({ topic, partitions: this.#partitions }));
    return bounceLeaders(this.#tools, topics, brokers, rotation);
  }

  /** Resolves once every partition is in sync on every broker again: the next broker may go. @throws when it takes too long */
  async replicated(wait: (ms: number) => Promise<void>): Promise<void> {
    const deadline = performance.now() + REPLICATED_MS_MAX;
    /** Why the last question failed; a broker may still be starting. */
    let cause: Error | undefined;
    const isReplicated = () =>
      this.#isReplicated().catch((error: Error) => {
        cause = error;
        return false;
      });
    while (!(await isReplicated())) {
      if (performance.now() > deadline)
        throw new Error(`not everything is in sync after ${REPLICATED_MS_MAX / 1_000} s`, { cause });
      await wait(POLL_MS);
    }
  }

  /** Ends every fault, planned or left over by an error, and waits until the servers serve. Whether the roles do is judged. */
  async heal(): Promise<void> {
    this.processes.thawAll();
    await this.network.reset();
    await this.database.start();
    for (const id of brokers) {
      this.node(id).thaw();
      if (!this.node(id).running) await this.node(id).start();
    }
    await this.replicated((ms) => delay(ms));
  }

  async #isReplicated(): Promise<boolean> {
    const admin = await createAdmin({ clientId: 'chaos', cluster: this.#cluster.direct });
    try {
      const described = await admin.describeTopics([...allTopics, '__consumer_offsets']);
      return (
        described.length >= allTopics.length && described.every((topic) => topic.inSyncReplicas === brokers.length)
      );
    } finally {
      await admin.close();
    }
  }
}
