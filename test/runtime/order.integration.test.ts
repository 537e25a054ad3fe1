import { expect, test } from 'vitest';
import { uniqueName } from '../support/servers.ts';
import {
  committedTotal,
  createScene,
  effectCount,
  effectsByKey,
  grouped,
  ordersOver,
  readTopic,
  until,
} from './harness.ts';

test('per key everything is in order across partitions and slots, effects and outputs once, all committed', async () => {
  await using scene = await createScene();
  const outputTopic = uniqueName('runtime-out');
  await scene.admin.createTopics([{ topic: outputTopic, partitions: 12, replicationFactor: 1 }]);
  const orders = ordersOver(200, 6_000);
  await scene.send(orders);
  const runtime = await scene.start({ settings: { outputTopic } });
  await until(
    () => committedTotal(scene),
    (total) => total === orders.length,
  );
  const expected = Array.from({ length: 30 }, (_, n) => n);
  const effects = await effectsByKey(scene.database.sql);
  expect(effects.size).toBe(200);
  for (const numbers of effects.values()) expect(numbers).toEqual(expected);
  const outputs = grouped(
    (await readTopic(scene.admin, outputTopic)).map(({ key, value }) => [String(key), Number(value)]),
  );
  expect(outputs).toEqual(new Map([...effects].map(([key]) => [key, expected])));
  const { partitions, slots } = runtime.view();
  expect(partitions.map(({ lag, inFlightMessages }) => [lag, inFlightMessages])).toEqual(partitions.map(() => [0, 0]));
  expect(slots.map(({ partitions }) => partitions.length)).toEqual([6, 6]);
  expect(runtime.readiness()).toBeUndefined();
  await scene.admin.deleteTopics([outputTopic]);
});

test('an unfinished message holds the frontier of its partition, and nothing else', async () => {
  await using scene = await createScene(2);
  await scene.send([{ key: 'stuck', n: 0, act: 'hang' }]);
  const runtime = await scene.start();
  await until(
    () => runtime.view().partitions,
    (partitions) => partitions.some(({ keys }) => keys > 0),
  );
  await scene.send([{ key: 'stuck', n: 1 }, ...ordersOver(20, 400)]);
  await until(
    () => effectCount(scene.database.sql),
    (count) => count === 400,
  );
  // The effects of a turn are visible here before its slot has counted them.
  const stuck = await until(
    () => runtime.view().partitions.find(({ keys }) => keys > 0),
    (partition) => partition?.inFlightMessages === 2,
  );
  expect(stuck).toMatchObject({ frontier: 0, inFlightMessages: 2 });
  const other = await until(
    () => runtime.view().partitions.find(({ keys }) => keys === 0),
    (partition) => partition?.lag === 0,
  );
  await until(
    () => committedTotal(scene),
    (total) => total === other?.next,
  );
  await runtime.close();
  expect((await scene.admin.committedOffsets(scene.group, scene.topic)).get(stuck?.partition ?? -1) ?? 0).toBe(0);
  expect((await effectsByKey(scene.database.sql)).has('stuck')).toBe(false);
});
