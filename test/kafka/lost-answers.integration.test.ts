import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Admin, createAdmin, createProducer, type RecordProducer } from '../../kafka/index.ts';
import type { RequestKind } from '../../lab/chaos/wire/frames.ts';
import { type KafkaProxy, type Loss, startKafkaProxy } from '../support/kafka-proxy.ts';
import { clusterAt, servers, uniqueName } from '../support/servers.ts';
import { GroupMember } from './group-member.ts';

const PARTITIONS = 4;
/** Invariant 10: nothing may stand for longer. */
const RECOVERY = { timeout: 15_000, interval: 250 };
const LONG = { timeout: 30_000, interval: 50 };

const losses: Loss[] = ['connection closed', 'never answered'];

/** The requests of a member when another one joins. */
const askedInRebalance: RequestKind[] = ['FindCoordinator', 'JoinGroup', 'SyncGroup', 'OffsetFetch'];
const askedInPeace: RequestKind[] = ['Heartbeat', 'OffsetCommit'];

describe('a lost answer of the group protocol', () => {
  let admin: Admin;
  let producer: RecordProducer;
  const topics: string[] = [];

  beforeAll(async () => {
    const { cluster } = servers();
    admin = await createAdmin({ clientId: 'lost-answers-test', cluster });
    producer = await createProducer({ clientId: 'lost-answers-test', cluster, deadlineMs: 10_000 });
  });
  afterAll(async () => {
    await producer.close();
    await admin.deleteTopics(topics);
    await admin.close();
  });

  async function newGroup() {
    const topic = uniqueName('lost-answers');
    await admin.createTopics([{ topic, partitions: PARTITIONS, replicationFactor: 1 }]);
    topics.push(topic);
    return { cluster: servers().cluster, groupId: `${topic}-group`, topics: [topic] };
  }

  function first(group: Awaited<ReturnType<typeof newGroup>>, proxy: KafkaProxy) {
    return GroupMember.join('first', { ...group, cluster: clusterAt(proxy.address) });
  }

  async function bothWork(topic: string, members: GroupMember[]): Promise<void> {
    let round = 0;
    const owners = async () => {
      round++;
      const value = String(round);
      await producer.send(
        Array.from({ length: PARTITIONS }, (_, partition) => ({ topic, key: 'k', value, partition })),
      );
      return members.map((member) =>
        member.consumer.assignment
          .filter(({ partition }) => {
            const newest = member.seen.findLast((record) => record.partition === partition);
            return newest !== undefined && Number(newest.value) >= round - 4 && round > 4;
          })
          .map(({ partition }) => partition),
      );
    };
    // Each partition has one member that works on it, and each member has its share.
    await expect
      .poll(async () => {
        const held = await owners();
        return { shares: held.map(({ length }) => length), partitions: held.flat().sort() };
      }, RECOVERY)
      .toEqual({ shares: members.map(() => PARTITIONS / members.length), partitions: [0, 1, 2, 3] });
  }

  describe.each(losses)('%s', (loss) => {
    test.each(askedInRebalance)('%s: both members work again within 15 s', { timeout: 60_000 }, async (api) => {
      const group = await newGroup();
      const [topic = ''] = group.topics;
      await using proxy = await startKafkaProxy(servers().cluster.brokers[0] ?? '');
      await using member = await first(group, proxy);
      await expect.poll(() => member.log, LONG).toEqual(['assigned 0,1,2,3']);
      const lost = proxy.loseAnswer(api, loss, 'first');
      await using second = await GroupMember.join('second', group);
      await lost;
      await bothWork(topic, [member, second]);
    });

    test.each(askedInPeace)('%s: both members work again within 15 s', { timeout: 60_000 }, async (api) => {
      const group = await newGroup();
      const [topic = ''] = group.topics;
      await using proxy = await startKafkaProxy(servers().cluster.brokers[0] ?? '');
      await using member = await first(group, proxy);
      await using second = await GroupMember.join('second', group);
      await bothWork(topic, [member, second]);
      const lost = proxy.loseAnswer(api, loss, 'first');
      // The answer to this request may be lost.
      const commit = member.commitSeen().catch((error: Error) => error);
      await lost;
      await bothWork(topic, [member, second]);
      await commit;
      await expect.poll(() => member.commitSeen().then(() => 'committed', String), LONG).toBe('committed');
    });

    test('the first JoinGroup of a member that starts: it works within 15 s', { timeout: 60_000 }, async () => {
      const group = await newGroup();
      const [topic = ''] = group.topics;
      await using proxy = await startKafkaProxy(servers().cluster.brokers[0] ?? '');
      const lost = proxy.loseAnswer('JoinGroup', loss, 'first');
      await using member = await first(group, proxy);
      await lost;
      await bothWork(topic, [member]);
    });

    test('LeaveGroup: the member that leaves ends, and the other one has all', { timeout: 60_000 }, async () => {
      const group = await newGroup();
      const [topic = ''] = group.topics;
      await using proxy = await startKafkaProxy(servers().cluster.brokers[0] ?? '');
      const member = await first(group, proxy);
      await using second = await GroupMember.join('second', group);
      await bothWork(topic, [member, second]);
      const lost = proxy.loseAnswer('LeaveGroup', loss, 'first');
      const closed = member.consumer.close().then(() => 'closed');
      await lost;
      await expect.poll(() => Promise.race([closed, 'closing']), RECOVERY).toBe('closed');
      await bothWork(topic, [second]);
    });
  });
});
