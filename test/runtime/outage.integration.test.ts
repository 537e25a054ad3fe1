import { expect, test } from 'vitest';
import { startToggledProxy } from '../support/toggled-proxy.ts';
import { committedTotal, createScene, effectCount, effectsByKey, ordersOver, readTopic, until } from './harness.ts';

test('a database that is away pauses and is waited for: nothing is lost, nothing goes to the dead letters', async () => {
  await using scene = await createScene();
  const proxy = await startToggledProxy(scene.database.url);
  const url = new URL(scene.database.url);
  url.host = proxy.address;
  const runtime = await scene.start({ database: url.href });
  await scene.send(ordersOver(100, 1_000));
  await until(
    () => effectCount(scene.database.sql),
    (count) => count === 1_000,
  );

  proxy.interrupt();
  await scene.send(ordersOver(100, 1_000).map((order) => ({ ...order, n: order.n + 10 })));
  const reason = await until(
    () => runtime.readiness(),
    (text) => text !== undefined,
  );
  expect(reason).toContain('database is down');
  await until(
    () => runtime.view().partitions,
    (partitions) => partitions.every(({ paused }) => paused.includes('outage')),
  );
  expect(await effectCount(scene.database.sql)).toBe(1_000);

  proxy.resume();
  await until(
    () => committedTotal(scene),
    (total) => total === 2_000,
  );
  for (const numbers of (await effectsByKey(scene.database.sql)).values())
    expect(numbers).toEqual(Array.from({ length: 20 }, (_, n) => n));
  await until(
    () => runtime.readiness(),
    (text) => text === undefined,
  );
  expect(await readTopic(scene.admin, scene.deadLetters)).toEqual([]);
  await runtime.close();
  await proxy.close();
});

test('a database that is away when partitions are assigned is waited for', async () => {
  await using scene = await createScene();
  const proxy = await startToggledProxy(scene.database.url);
  const url = new URL(scene.database.url);
  url.host = proxy.address;
  proxy.interrupt();
  await scene.send(ordersOver(10, 100));
  const runtime = await scene.start({ database: url.href });
  await until(
    () => runtime.readiness(),
    (text) => text?.includes('assignment/database is down') === true,
  );
  proxy.resume();
  await until(
    () => committedTotal(scene),
    (total) => total === 100,
  );
  expect(runtime.readiness()).toBeUndefined();
  await runtime.close();
  await proxy.close();
});
