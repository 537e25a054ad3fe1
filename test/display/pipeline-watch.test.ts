import { afterEach, expect, test } from 'vitest';
import { PipelineWatch } from '../../display/pipeline-watch.ts';

let watch: PipelineWatch;
afterEach(() => watch.close());

function watched() {
  const log = { now: 1_000_000, committed: new Map<number, number>(), latest: [0, 0], fails: false };
  watch = new PipelineWatch({
    stages: [{ group: 'kitchen', topic: 'orders' }],
    admin: {
      committedOffsets: async () => {
        if (log.fails) throw new Error('broker gone');
        return new Map(log.committed);
      },
      offsets: async () => log.latest.map((latest, partition) => ({ partition, earliest: 0, latest })),
    },
    clock: { now: () => log.now },
    intervalMs: 3_600_000,
    standsAfterMs: 15_000,
    onLook: () => {},
  });
  return log;
}

test('names the partition whose records wait while the group commits nothing, and since when', async () => {
  const log = watched();
  log.latest = [5, 5];
  log.committed = new Map([[0, 5]]);
  await watch.look();
  log.now += 10_000;
  log.latest = [50, 9];
  log.committed = new Map([[0, 45]]);
  await watch.look();
  expect(watch.standstill).toBeUndefined();
  log.now += 5_000;
  await watch.look();
  expect(watch.standstill).toEqual({
    since: 1_000_000,
    reason: 'orders wait at kitchen, partition 1, which does not move',
  });
  log.committed = new Map([
    [0, 50],
    [1, 5],
  ]);
  await watch.look();
  expect(watch.standstill).toBeUndefined();
});

test('is no standstill when nothing waits, however long', async () => {
  const log = watched();
  log.latest = [5, 0];
  log.committed = new Map([[0, 5]]);
  await watch.look();
  log.now += 3_600_000;
  await watch.look();
  expect(watch.standstill).toBeUndefined();
});

test('a log that does not answer counts as a standstill since its last answer', async () => {
  const log = watched();
  await watch.look();
  log.now += 14_000;
  log.fails = true;
  await expect(watch.look()).rejects.toThrow('broker gone');
  expect(watch.standstill).toBeUndefined();
  log.now += 2_000;
  expect(watch.standstill).toMatchObject({ since: 1_000_000, reason: expect.stringContaining('order log') });
  log.fails = false;
  await watch.look();
  expect(watch.standstill).toBeUndefined();
});

test('a group that processes records more slowly than they come stands, since its oldest record came', async () => {
  const log = watched();
  // In three seconds the group processes one record, and three come.
  for (let look = 0; look < 200; look++) {
    log.latest = [1_000 + 3 * look, 0];
    log.committed = new Map([[0, look]]);
    await watch.look();
    log.now += 3_000;
  }
  expect(watch.standstill).toEqual({
    since: 1_000_000,
    reason: 'orders wait at kitchen, partition 0, which works them off more slowly than they come',
  });
});

test('a group that is behind by a constant time stands all the while, and one that is a moment behind does not', async () => {
  for (const [lagLooks, stands] of [
    [7, true],
    [2, false],
  ] as const) {
    const log = watched();
    for (let look = 0; look < 100; look++) {
      log.latest = [10 * (look + 1), 0];
      log.committed = new Map([[0, Math.max(0, 10 * (look + 1 - lagLooks))]]);
      await watch.look();
      if (look > 10) expect(watch.standstill !== undefined).toBe(stands);
      log.now += 3_000;
    }
    watch.close();
  }
});

test('a long standstill is reported with its beginning, and ends when all records that waited are processed', async () => {
  const log = watched();
  for (let look = 0; look < 1_000; look++) {
    log.latest = [look + 1, 0];
    await watch.look();
    log.now += 3_000;
  }
  expect(watch.standstill?.since).toBe(1_000_000);
  log.committed = new Map([[0, 1_000]]);
  log.latest = [1_005, 0];
  await watch.look();
  expect(watch.standstill).toBeUndefined();
});

test('records of a topic that was created again wait, although the position of the earlier one is far beyond them', async () => {
  const log = watched();
  log.latest = [20, 0];
  log.committed = new Map([[0, 1_000]]);
  await watch.look();
  log.now += 15_000;
  await watch.look();
  expect(watch.standstill?.since).toBe(1_000_000);
});
