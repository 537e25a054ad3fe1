import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { committedTotal, createScene, effectsByKey, ordersOver, readTopic, until } from './harness.ts';

test.each(['exit', 'exhaust-memory'] as const)('a thread that dies by %s is replaced, without loss', async (act) => {
  await using scene = await createScene();
  const directory = await mkdtemp(join(tmpdir(), 'slot-death-'));
  const deathMark = join(directory, 'mark');
  await scene.send([...ordersOver(100, 1_000), { key: 'last', n: 0, act }, ...ordersOver(100, 1_000)]);
  const runtime = await scene.start({ settings: { deathMark }, slotMemoryMbMax: 128 });
  await until(
    () => committedTotal(scene),
    (total) => total === 2_001,
    50_000,
  );
  expect(await readFile(deathMark, 'utf8')).toBe(act);
  const effects = await effectsByKey(scene.database.sql);
  const numbers = Array.from({ length: 10 }, (_, n) => n);
  expect(effects.get('last')).toEqual([0]);
  for (let key = 0; key < 100; key++) expect(effects.get(`key-${key}`)).toEqual([...numbers, ...numbers]);
  expect(await readTopic(scene.admin, scene.deadLetters)).toEqual([]);
  expect(runtime.readiness()).toBeUndefined();
  await rm(directory, { recursive: true });
});

test.each(['spin-preparing', 'spin-applying'] as const)(
  'an order that is %s for ever is parked after three threads, and the others go on',
  async (act) => {
    await using scene = await createScene();
    await scene.send([...ordersOver(20, 100), { key: 'spins', n: 0, act }, ...ordersOver(20, 100)]);
    await scene.start({ slotSilenceMsMax: 1_000 });
    await until(
      () => committedTotal(scene),
      (total) => total === 201,
      50_000,
    );
    const effects = await effectsByKey(scene.database.sql);
    const numbers = Array.from({ length: 5 }, (_, n) => n);
    for (let key = 0; key < 20; key++) expect(effects.get(`key-${key}`)).toEqual([...numbers, ...numbers]);
    expect(effects.has('spins')).toBe(false);
    const parked = await readTopic(scene.admin, scene.deadLetters);
    expect(parked.map(({ key }) => String(key))).toEqual(['spins']);
  },
);
