import type { KafkaCluster } from '../../contracts/config/kafka-cluster.ts';
import { kafkajsClient } from '../kafkajs/kafkajs-client.ts';
import { saysNotAMember } from '../kafkajs/kafkajs-errors.ts';
import { type CoordinatorInternals, decodeAssignment } from '../kafkajs/kafkajs-internals.ts';
import { KafkajsSockets } from '../kafkajs/kafkajs-sockets.ts';
import type { TopicPartition } from './consumer.ts';

const REQUEST_TIMEOUT_MS = 3_000;

interface Connected {
  sockets: KafkajsSockets;
  coordinator: CoordinatorInternals;
}

/**
 * Asks a group's coordinator about the group, and leaves the group when a client can't do it itself. It has a connection of its own,
 * because the coordinator answers the requests of one connection one after the other, and a JoinGroup may take half a minute.
 */
export class GroupControl {
  readonly #options: { clientId: string; cluster: KafkaCluster; groupId: string };
  #connected: Promise<Connected> | undefined;

  constructor(options: { clientId: string; cluster: KafkaCluster; groupId: string }) {
    this.#options = options;
  }

  /** The group's state, and the partitions assigned to the member; `assigned` is undefined when the group does not know the member. */
  async describe(memberId: string | null): Promise<{ state: string; assigned: TopicPartition[] | undefined }> {
    const { groupId } = this.#options;
    const { groups } = await this.#with((coordinator) => coordinator.describeGroups({ groupIds: [groupId] }));
    const group = groups.find((one) => one.groupId === groupId);
    const member = group?.members.find((one) => one.memberId === memberId);
    return {
      state: group?.state ?? 'Dead',
      assigned: member === undefined ? undefined : decodeAssignment(member.memberAssignment),
    };
  }

  /** Tells the coordinator that the member is alive. If the member is out of the group, `describe`, which follows, reports it. */
  async heartbeat(memberId: string, groupGenerationId: number): Promise<void> {
    const { groupId } = this.#options;
    await this.#with((coordinator) =>
      coordinator.heartbeat({ groupId, memberId, groupGenerationId }).catch((error: unknown) => {
        if (!saysNotAMember(error)) throw error;
      }),
    );
  }

  async leave(memberId: string): Promise<void> {
    const { groupId } = this.#options;
    await this.#with((coordinator) => coordinator.leaveGroup({ groupId, memberId }));
  }

  close(): void {
    const connected = this.#connected;
    this.#connected = undefined;
    // A connection that failed has no sockets left: `#connect` has closed them, and `#with` has given the error to its caller.
    connected?.then(({ sockets }) => sockets.end()).catch(() => {});
  }

  async #with<T>(act: (coordinator: CoordinatorInternals) => Promise<T>): Promise<T> {
    this.#connected ??= this.#connect();
    const connected = this.#connected;
    try {
      const { coordinator } = await connected;
      return await act(coordinator);
    } catch (error) {
      // The coordinator may have moved, so the next call looks for it again.
      if (this.#connected === connected) this.close();
      throw error;
    }
  }

  async #connect(): Promise<Connected> {
    const { clientId, cluster, groupId } = this.#options;
    const sockets = new KafkajsSockets();
    let asked: { findGroupCoordinator(of: { groupId: string }): Promise<CoordinatorInternals> } | undefined;
    const client = kafkajsClient({
      clientId: `${clientId}-control`,
      cluster,
      requestTimeoutMs: REQUEST_TIMEOUT_MS,
      socketFactory: sockets.factory,
    }).consumer({
      groupId,
      allowAutoTopicCreation: false,
      retry: { retries: 2, initialRetryTime: 100, maxRetryTime: 500 },
      partitionAssigners: [
        (config) => {
          asked = config.cluster as unknown as typeof asked;
          return {
            name: 'none',
            version: 0,
            assign: async () => [],
            protocol: () => ({ name: 'none', metadata: Buffer.alloc(0) }),
          };
        },
      ],
    });
    try {
      await client.connect();
      if (asked === undefined) throw new Error('kafkajs has not given its cluster to the assigner');
      return { sockets, coordinator: await asked.findGroupCoordinator({ groupId }) };
    } catch (error) {
      sockets.end();
      throw error;
    }
  }
}
