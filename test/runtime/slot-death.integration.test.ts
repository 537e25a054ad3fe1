import { access, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { Slot } from '../../runtime/host/slots/slot.ts';
import type { SlotDeathError } from '../../runtime/host/slots/slot-death.ts';
import { packBatch } from '../../runtime/wire/batch-codec.ts';
import { mergedScrape } from '../../telemetry/metrics.ts';
import {
  committedTotal,
  createScene,
  effectsActor,
  effectsByKey,
  ordersOver,
  readTopic,
  runtimeOptions,
  until,
} from './harness.ts';

test.each([
  ['exit', 'exit'],
  ['exhaust-memory', 'memory'],
  ['reject-unhandled', 'error'],
  ['throw-in-timer', 'error'],
] as const)('a thread that dies by %s is replaced, without loss', async (act, reason) => {
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
  // One thread died; the other one must go on.
  expect(await mergedScrape(await runtime.metrics())).toMatch(
    new RegExp(`ordermesh_runtime_slot_deaths_total\\{.*reason="${reason}".*\\} 1\\n`),
  );
  await rm(directory, { recursive: true });
});

test.each(['spin-preparing', 'spin-applying', 'spin-after-preparing', 'spin-after-applying'] as const)(
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

test('the log of a death names the key, and calls of the dead thread are rejected', async () => {
  await using scene = await createScene(1);
  const directory = await mkdtemp(join(tmpdir(), 'slot-death-'));
  const { limits, logger: _, ...options } = runtimeOptions(scene.topic, scene.group, scene.database.url);
  const deaths: SlotDeathError[] = [];
  const slot = new Slot(
    {
      ...options,
      slot: 0,
      actorModule: effectsActor.href,
      settings: { deathMark: join(directory, 'mark'), hangMark: join(directory, 'hangs') },
      limits: limits.slot,
    },
    { onReport() {}, onDeath: (error) => deaths.push(error) },
  );
  await slot.start();
  await slot.open([{ partition: 0, incarnation: 1, epoch: 1, parked: [], settled: [] }]);
  const record = (offset: number, key: string, act: string) => ({
    offset,
    timestamp: 0,
    key: Buffer.from(key),
    value: Buffer.from(JSON.stringify({ n: 0, act })),
    headers: {},
  });
  const take = (partition: number, offset: number, key: string, act: string) =>
    slot.take({ partition, incarnation: 1, buffer: packBatch([record(offset, key, act)]).buffer });
  take(0, 7, 'order-7', 'hang');
  await vi.waitFor(() => access(join(directory, 'hangs')), { timeout: 10_000 });
  // The drain waits for the end of that message, which never comes.
  const drained = slot.drain([0]).catch((error: Error) => error.message);
  await slot.open([{ partition: 1, incarnation: 1, epoch: 1, parked: [], settled: [] }]);
  take(1, 3, 'order-8', 'throw-in-timer');
  expect(await drained).toContain('uncaught on purpose');
  expect(slot.running).toBe(false);
  expect(deaths.map(({ reason }) => reason)).toEqual(['error']);
  expect(deaths[0]?.message).toContain('order-7 (0@7)');
  expect(deaths[0]?.message).toContain('order-8 (1@3)');
  await expect(slot.open([])).rejects.toThrow('not running');
  await slot.start();
  expect(slot.running).toBe(true);
  await slot.stop(5_000);
  await rm(directory, { recursive: true });
});
