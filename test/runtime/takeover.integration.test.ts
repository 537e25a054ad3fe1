import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { expect, test, vi } from 'vitest';
import { claimEpochs } from '../../store/partitions/epochs.ts';
import {
  committedTotal,
  createScene,
  effectCount,
  effectsByKey,
  ordersOver,
  readTopic,
  type Scene,
  until,
} from './harness.ts';

/** A session timeout and the work of a whole backlog, on a busy machine. */
const TAKEOVER_MS_MAX = 100_000;
vi.setConfig({ testTimeout: 150_000 });

/** A worker in a process of its own; it runs when the promise resolves. */
async function forkWorker({ topic, group, database }: Scene): Promise<ChildProcess> {
  const worker = fork(new URL('./worker-process.ts', import.meta.url), [topic, group, database.url]);
  const died = once(worker, 'exit').then(([code]) => Promise.reject(new Error(`the worker exited with ${code}`)));
  await Promise.race([once(worker, 'message'), died]);
  died.catch(() => {});
  return worker;
}

test('kill -9 of a worker: another takes over, nothing lost, no effect twice', async () => {
  await using scene = await createScene();
  const worker = await forkWorker(scene);
  const orders = ordersOver(100, 10_000);
  for (let start = 0; start < orders.length; start += 2_500) await scene.send(orders.slice(start, start + 2_500));
  await until(
    () => effectCount(scene.database.sql),
    (count) => count > 500,
  );
  worker.kill('SIGKILL');
  await once(worker, 'exit');
  await scene.start();
  await until(
    () => committedTotal(scene),
    (total) => total === orders.length,
    TAKEOVER_MS_MAX,
  );
  const effects = await effectsByKey(scene.database.sql);
  expect(effects.size).toBe(100);
  for (const numbers of effects.values()) expect(numbers).toEqual(Array.from({ length: 100 }, (_, n) => n));
  expect(await readTopic(scene.admin, scene.deadLetters)).toEqual([]);
});

test('a zombie that was stopped past its session changes nothing when it wakes up', async () => {
  await using scene = await createScene();
  const { sql } = scene.database;
  const zombie = await forkWorker(scene);
  try {
    const orders = ordersOver(500, 20_000);
    for (let start = 0; start < orders.length; start += 5_000) await scene.send(orders.slice(start, start + 5_000));
    await until(
      () => effectCount(sql),
      (count) => count > 500,
    );
    zombie.kill('SIGSTOP');
    expect(await effectCount(sql)).toBeLessThan(orders.length);
    const runtime = await scene.start();
    await until(
      () => committedTotal(scene),
      (total) => total === orders.length,
      TAKEOVER_MS_MAX,
    );
    const [mark] = await sql<{ last: string }[]>`select max(written) as last from applications`;
    zombie.kill('SIGCONT');
    await until(
      () => runtime.view().partitions.length,
      (count) => count === 6,
    );
    const late =
      await sql`select * from applications where process = ${zombie.pid ?? 0} and written > ${mark?.last ?? 0}`;
    expect([...late]).toEqual([]);
    for (const numbers of (await effectsByKey(sql)).values())
      expect(numbers).toEqual(Array.from({ length: 40 }, (_, n) => n));
  } finally {
    zombie.kill('SIGKILL');
  }
});

test('a second member joins: partitions move, and order and effects hold', async () => {
  await using scene = await createScene();
  const orders = ordersOver(100, 10_000);
  const first = await scene.start();
  await scene.send(orders.slice(0, 4_000));
  const second = await scene.start();
  await scene.send(orders.slice(4_000));
  await until(
    () => committedTotal(scene),
    (total) => total === orders.length,
    TAKEOVER_MS_MAX,
  );
  await until(
    () => [first, second].map((runtime) => runtime.view().partitions.length),
    (counts) => counts.every((count) => count === 6),
  );
  for (const numbers of (await effectsByKey(scene.database.sql)).values())
    expect(numbers).toEqual(Array.from({ length: 100 }, (_, n) => n));
});

test('an epoch claimed by a member that is out is claimed back, and nothing of the older epoch is applied', async () => {
  await using scene = await createScene(1);
  const runtime = await scene.start();
  await scene.send(ordersOver(10, 100));
  await until(
    () => effectCount(scene.database.sql),
    (count) => count === 100,
  );
  const [before] = runtime.view().partitions;
  await claimEpochs(scene.database.sql, { group: scene.group, topic: scene.topic }, [0], 'a zombie that woke up');
  await scene.send(ordersOver(10, 100).map((order) => ({ ...order, n: order.n + 10 })));
  await until(
    () => committedTotal(scene),
    (total) => total === 200,
  );
  const [after] = runtime.view().partitions;
  expect(after?.epoch).toBe((before?.epoch ?? 0) + 2);
  for (const numbers of (await effectsByKey(scene.database.sql)).values())
    expect(numbers).toEqual(Array.from({ length: 20 }, (_, n) => n));
});
