import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadConfig } from '../../contracts/config/config.ts';
import { allTopics } from '../../contracts/topics.ts';
import { type Admin, applyTopics, createAdmin, topicDrift, topicSpecs } from '../../kafka/index.ts';
import { startKafkaProxy } from '../support/kafka-proxy.ts';
import { clusterAt, servers, uniqueName } from '../support/servers.ts';

describe('topic set-up', () => {
  const created: string[] = [];
  let admin: Admin;

  beforeAll(async () => {
    admin = await createAdmin({ clientId: 'topics-test', cluster: servers().cluster });
  });
  afterAll(async () => {
    await admin.deleteTopics(created);
    await admin.close();
  });

  test('creates the topics of the mesh once, with the configured settings', async () => {
    const config = loadConfig({});
    await applyTopics(admin, config);
    const again = await applyTopics(admin, config);
    expect(again.created).toEqual([]);
    expect(again.existing).toEqual([...allTopics]);
  });

  test('creates what is missing and reports where an existing topic differs', async () => {
    const names = [uniqueName('setup'), uniqueName('setup')];
    created.push(...names);
    const specs = topicSpecs(loadConfig({ ORDERMESH_PARTITIONS: '3' }), names);
    expect(await admin.createTopics(specs.slice(0, 1))).toEqual(names.slice(0, 1));
    expect(await admin.createTopics(specs)).toEqual(names.slice(1));
    expect(await topicDrift(admin, specs)).toEqual([]);
    const others = topicSpecs(loadConfig({ ORDERMESH_PARTITIONS: '5', ORDERMESH_REPLICATION_FACTOR: '2' }), names);
    const [first = ''] = names;
    const drift = (await topicDrift(admin, others)).filter(({ topic }) => topic === first);
    expect(drift).toEqual([
      { topic: first, setting: 'partitions', actual: '3', wanted: '5' },
      { topic: first, setting: 'replication.factor', actual: '1', wanted: '2' },
    ]);
    expect(await topicDrift(admin, topicSpecs(loadConfig({}), [uniqueName('absent')]))).toEqual([]);
  });

  test('refuses settings under which nothing could be written', async () => {
    const config = loadConfig({ ORDERMESH_MIN_INSYNC_REPLICAS: '2' });
    await expect(applyTopics(admin, config)).rejects.toThrow('ORDERMESH_MIN_INSYNC_REPLICAS is 2');
  });

  test('knows offsets of topics and of groups', async () => {
    const topic = uniqueName('setup');
    created.push(topic);
    await admin.createTopics([{ topic, partitions: 2, replicationFactor: 1 }]);
    expect(await admin.offsets(topic)).toEqual([
      { partition: 0, earliest: 0, latest: 0 },
      { partition: 1, earliest: 0, latest: 0 },
    ]);
    expect(await admin.offsets(uniqueName('absent'))).toEqual([]);
    expect(await admin.committedOffsets(uniqueName('group'), topic)).toEqual(new Map());
  });

  test('asks for the offsets of a group again while its coordinator changes', async () => {
    const topic = uniqueName('setup');
    created.push(topic);
    await admin.createTopics([{ topic, partitions: 1, replicationFactor: 1 }]);
    await using proxy = await startKafkaProxy(servers().cluster.brokers[0] ?? '');
    // COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR; the code is the last field of the answer.
    const codes = [14, 15, 16];
    let answers = 0;
    proxy.alterAnswers('OffsetFetch', (frame) => {
      const answer = Buffer.from(frame);
      const code = codes[answers++];
      if (code !== undefined) answer.writeInt16BE(code, answer.length - 2);
      return answer;
    });
    const behind = await createAdmin({ clientId: 'coordinator-test', cluster: clusterAt(proxy.address) });
    try {
      expect(await behind.committedOffsets(uniqueName('group'), topic)).toEqual(new Map());
      expect(answers).toBe(codes.length + 1);
    } finally {
      await behind.close();
    }
  });
});
