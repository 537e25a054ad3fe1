import { expect, test, vi } from 'vitest';
import { createRegionAdmin } from '../../kafka/admin/region-admin.ts';
import { kafkajsClient } from '../../kafka/kafkajs/kafkajs-client.ts';
import { discardDeadLetters, requestReplay } from '../../store/dead-letters/dead-letter-acts.ts';
import { readDeadLetters } from '../../store/dead-letters/dead-letters.ts';
import { readSkipped } from '../../store/partitions/partition-logs.ts';
import { servers } from '../support/servers.ts';
import type { HealingOrder } from './actors/healing-actor.ts';
import { committedTotal, createScene, effectsByKey, type ReadRecord, readTopic, type Scene, until } from './harness.ts';

vi.setConfig({ testTimeout: 150_000 });

const keyedActor = new URL('./actors/keyed-actor.ts', import.meta.url);
const start = (scene: Scene) => scene.start({ actorModule: keyedActor });
const by = { operator: 'test', selection: {} };

async function sceneOfOne(): Promise<Scene> {
  const scene = await createScene(1);
  await scene.database.sql`create table healed (key text primary key)`;
  return scene;
}

function orders(key: string, first: number, count: number, poison: readonly number[] = []) {
  return Array.from({ length: count }, (_, index): HealingOrder & { key: string } => {
    const n = first + index;
    return poison.includes(n) ? { key, n, poison: true } : { key, n };
  });
}

const committed = (scene: Scene, total: number) =>
  until(
    () => committedTotal(scene),
    (sum) => sum === total,
    60_000,
  );

async function statesOf(scene: Scene): Promise<string[]> {
  const found: string[] = [];
  for await (const { log, offset, state } of readDeadLetters(scene.database.sql))
    found.push(`${log}/${offset} ${state}`);
  return found;
}

async function createAgain(scene: Scene): Promise<void> {
  await scene.admin.deleteTopics([scene.topic]);
  const again = { topic: scene.topic, partitions: 1, replicationFactor: 1 };
  // A name that was just deleted may be refused for a moment.
  await vi.waitFor(async () => expect(await scene.admin.createTopics([again])).toEqual([scene.topic]), {
    timeout: 20_000,
    interval: 200,
  });
}

/** Copies like MirrorMaker: key, value, headers and time, at other offsets. */
async function copyTo(scene: Scene, records: readonly ReadRecord[]): Promise<void> {
  const producer = kafkajsClient({ clientId: 'test-mirror', cluster: servers().cluster }).producer();
  await producer.connect();
  await producer.send({
    topic: scene.topic,
    messages: records.map(({ key, value, headers, timestamp }) => ({
      key,
      value,
      headers,
      timestamp: String(timestamp),
      partition: 0,
    })),
  });
  await producer.disconnect();
}

/** The database fails over to the other region: what it knows is about the log of another cluster. */
async function moveToAnotherCluster(scene: Scene): Promise<void> {
  await scene.database.sql`update partition_logs set cluster_id = 'of the other region'`;
}

const metric = async (runtime: Awaited<ReturnType<Scene['start']>>, name: string): Promise<number> =>
  (await runtime.metrics())
    .flat()
    .filter((found) => found.name === name)
    .flatMap(({ values }) => values)
    .reduce((sum, { value }) => sum + value, 0);

test('a key that was parked in the log of the other region stays parked here, whatever the offsets, and its replay is in order', async () => {
  await using scene = await sceneOfOne();
  await scene.send([...orders('a', 0, 4, [1]), ...orders('gone', 0, 2, [0])]);
  const east = await start(scene);
  await committed(scene, 6);
  // What is discarded before the failover is not worked on after it.
  for await (const letter of readDeadLetters(scene.database.sql, { key: 'gone' }))
    await discardDeadLetters(scene.database.sql, { ...by, letters: [letter] });
  await until(
    () => scene.database.sql`select 1 from parked_keys where key = 'gone' and released_at is not null`,
    (rows) => rows.length === 1,
  );
  await east.close();
  const mirrored = await readTopic(scene.admin, scene.topic);
  await createAgain(scene);
  await moveToAnotherCluster(scene);
  // There are fewer records before them: the offsets of the key are different, and collide with the earlier ones.
  await copyTo(scene, [
    ...mirrored.filter(({ key }) => String(key) === 'gone'),
    ...mirrored.filter(({ key }) => String(key) === 'a'),
  ]);
  await scene.send([...orders('a', 4, 2), ...orders('b', 0, 2)]);

  const west = await start(scene);
  await committed(scene, 10);
  const effects = await effectsByKey(scene.database.sql);
  expect(effects.get('b')).toEqual([0, 1]);
  expect(effects.get('a')).toEqual([0]);
  expect(effects.get('gone')).toBeUndefined();
  // Copies of parked messages are no new letters. A copy of a finished message and new messages are parked behind.
  expect((await statesOf(scene)).sort()).toEqual([
    '0/1 parked',
    '0/2 parked',
    '0/3 parked',
    '0/4 discarded',
    '0/5 discarded',
    '1/2 parked',
    '1/6 parked',
    '1/7 parked',
  ]);

  await scene.database.sql`insert into healed values ('a'), ('gone')`;
  await requestReplay(scene.database.sql, {
    ...by,
    keys: [{ group: scene.group, topic: scene.topic, partition: 0, key: 'a' }],
  });
  await until(
    () => scene.database.sql`select 1 from parked_keys where released_at is null`,
    (rows) => rows.length === 0,
    60_000,
  );
  await scene.send(orders('a', 6, 1));
  await committed(scene, 11);
  expect((await effectsByKey(scene.database.sql)).get('a')).toEqual([0, 1, 2, 3, 4, 5, 6]);
  await west.close();
});

test('a topic that is created again under a running worker is noticed, and all of it is worked on', async () => {
  await using scene = await sceneOfOne();
  await scene.send([...orders('a', 0, 3), ...orders('p', 0, 1, [0])]);
  const runtime = await start(scene);
  await committed(scene, 4);
  await createAgain(scene);
  // At once longer than the worker's position, so that no offset is out of range. Only the topic's id shows the change.
  await scene.send([...orders('b', 0, 6), ...orders('p', 1, 1)]);
  await until(
    async () => (await effectsByKey(scene.database.sql)).get('b'),
    (found) => found?.length === 6,
    60_000,
  );
  await committed(scene, 7);
  expect(runtime.readiness()).toMatch(`${scene.topic} was deleted and created again`);
  expect(await metric(runtime, 'ordermesh_runtime_log_changes_total')).toBe(1);
  // The key stays parked. A record that arrived before the change was noticed is no second letter afterwards.
  const found: number[] = [];
  for await (const { value } of readDeadLetters(scene.database.sql)) found.push(JSON.parse(String(value)).n);
  expect(found).toEqual([0, 1]);
});

test('a topic that is shorter than it was is begun again, not skipped to its end', async () => {
  await using scene = await sceneOfOne();
  await scene.send(orders('a', 0, 3));
  const first = await start(scene);
  await committed(scene, 3);
  await first.close();
  // Like a restore from a backup: the same topic, and the group's position is after its end.
  await scene.database.sql`update partition_logs set position = 10, end_offset = 12`;
  const runtime = await start(scene);
  await until(
    () => metric(runtime, 'ordermesh_runtime_log_changes_total'),
    (count) => count === 1,
  );
  expect(await readSkipped(scene.database.sql)).toMatchObject([
    { partition: 0, log: 0, from: 10, to: 12, reason: 'shortened' },
  ]);
  await scene.send(orders('a', 3, 1));
  await committed(scene, 4);
  expect((await effectsByKey(scene.database.sql)).get('a')).toEqual([0, 1, 2, 3]);
});

test('records that were removed before a stopped worker came to them are counted, named and remembered', async () => {
  await using scene = await sceneOfOne();
  await scene.send(orders('a', 0, 3));
  const first = await start(scene);
  await committed(scene, 3);
  await first.close();
  await scene.send(orders('b', 0, 20));
  await removeBefore(scene, 23);
  await scene.send(orders('c', 0, 1));
  const runtime = await start(scene);
  await committed(scene, 24);
  expect((await effectsByKey(scene.database.sql)).get('c')).toEqual([0]);
  expect(await readSkipped(scene.database.sql)).toMatchObject([
    { group: scene.group, partition: 0, from: 3, to: 23, reason: 'removed' },
  ]);
  expect(await metric(runtime, 'ordermesh_runtime_skipped_messages_total')).toBe(20);
  expect(runtime.readiness()).toMatch(
    `20 records of ${scene.topic} (partition 0, offsets 3 to 22) were removed before they were read`,
  );
  await runtime.close();
  // Finished records may be removed: nothing is skipped.
  await removeBefore(scene, 24);
  await scene.send(orders('c', 1, 1));
  const last = await start(scene);
  await committed(scene, 25);
  expect(await metric(last, 'ordermesh_runtime_skipped_messages_total')).toBe(0);
  expect(await readSkipped(scene.database.sql)).toHaveLength(1);
});

test('partitions that were added under orders are told', async () => {
  await using scene = await sceneOfOne();
  const runtime = await start(scene);
  await committed(scene, 0);
  await until(
    () => scene.database.sql`select partitions from topic_partitions where topic = ${scene.topic}`,
    (rows) => rows.length === 1,
  );
  const admin = kafkajsClient({ clientId: 'test', cluster: servers().cluster }).admin();
  await admin.connect();
  await admin.createPartitions({ topicPartitions: [{ topic: scene.topic, count: 2 }] });
  await admin.disconnect();
  await until(
    () => runtime.readiness() ?? '',
    (text) => text.includes('has 2 partitions, its orders were written with 1'),
  );
  expect(await metric(runtime, 'ordermesh_runtime_topic_fault')).toBe(1);
});

async function removeBefore({ topic }: Scene, offset: number): Promise<void> {
  const admin = createRegionAdmin({ clientId: 'test', cluster: servers().cluster });
  await admin.deleteRecordsBefore(topic, new Map([[0, offset]]));
  await admin.close();
}
