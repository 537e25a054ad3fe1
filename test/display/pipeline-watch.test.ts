import { afterEach, expect, it } from 'vitest';
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

it('names the partition whose records wait while the group commits nothing, and since when', async () => {
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
    [1, 1],
  ]);
  await watch.look();
  expect(watch.standstill).toBeUndefined();
});

it('is no standstill when nothing waits, however long', async () => {
  const log = watched();
  log.latest = [5, 0];
  log.committed = new Map([[0, 5]]);
  await watch.look();
  log.now += 3_600_000;
  await watch.look();
  expect(watch.standstill).toBeUndefined();
});

it('a log that does not answer is a standstill, since its last answer', async () => {
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
