import { expect, test } from 'vitest';
import type { GroupConsumer } from '../../kafka/consumer/consumer.ts';
import type { TopicLook } from '../../kafka/reader/topic-log.ts';
import { AssignedPartition } from '../../runtime/host/partitions/assigned-partition.ts';
import { Assignment } from '../../runtime/host/partitions/assignment.ts';
import { LogWatch } from '../../runtime/host/partitions/log-watch.ts';
import type { LogProgress, SkippedRange } from '../../store/partitions/partition-logs.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { ManualTimers } from './manual-timers.ts';

const limits = { messagesMax: 10, bytesMax: 1_000, windowMax: 100 };

/** A worker at offset 5 of a log with offsets 0 to 20, with a watch over it. */
function watched() {
  const timers = new ManualTimers();
  const assignment = new Assignment('topic');
  const sought: number[] = [];
  assignment.consumer = { seek: ({ offset }: { offset: number }) => sought.push(offset) } as unknown as GroupConsumer;
  const partition = new AssignedPartition(0, 0, 1, limits, 0);
  partition.enter({ log: 0, logId: 'a', startAt: 5, committed: 5 });
  partition.phase = 'running';
  assignment.add(partition);
  const look: TopicLook = {
    clusterId: 'c',
    logId: 'a',
    partitions: 1,
    ranges: new Map([[0, { earliest: 0, latest: 20 }]]),
  };
  const state = { look: look as TopicLook | undefined, isDown: false };
  const [skipped, progress, reopened]: [SkippedRange[], LogProgress[], number[]] = [[], [], []];
  const watch = new LogWatch({
    topic: 'topic',
    assignment,
    logs: {
      look: async () => state.look,
      remembered: async () => 1,
      progress: async (all) => void progress.push(...all),
      async skipped(range) {
        if (state.isDown) throw new Error('the database is down');
        skipped.push(range);
      },
    },
    timers,
    logger: createLogger('test', 'silent'),
    reopen: (partitions) => reopened.push(...partitions.map((each) => each.partition)),
    skipped: () => {},
    changed: () => {},
  });
  watch.start();
  const pass = async (ms: number) => {
    let isOver = false;
    timers.after(ms, () => {
      isOver = true;
    });
    while (!isOver) await timers.step();
  };
  const earliest = (offset: number) => look.ranges.set(0, { earliest: offset, latest: 20 });
  return { watch, partition, state, look, earliest, skipped, progress, reopened, sought, pass };
}

test('a worker that waits while its records are removed goes on behind them, and commits nothing before that is noted', async () => {
  const { partition, state, earliest, skipped, sought, pass, watch } = watched();
  earliest(12);
  state.isDown = true;
  await pass(5_000);
  expect(sought).toEqual([12]);
  expect(partition.next).toBe(12);
  partition.advance(14, 0);
  expect(partition.uncommitted).toBeUndefined();
  state.isDown = false;
  await pass(1_000);
  expect(skipped).toMatchObject([{ from: 5, to: 12, reason: 'removed' }]);
  expect(partition.uncommitted).toBe(14);
  expect(watch.summary).toMatch('7 records of topic (partition 0, offsets 5 to 11) were removed');
  await pass(30_000);
  expect(watch.summary).toBeUndefined();
  expect(skipped).toHaveLength(1);
});

test('offsets that never were records hold up nothing and are no loss', async () => {
  const { watch, partition, skipped, pass } = watched();
  partition.next = 9;
  watch.gap(partition, 5, 9);
  expect(partition.uncommitted).toBeUndefined();
  await pass(0);
  expect(partition.gaps).toEqual([]);
  expect(skipped).toEqual([]);
});

test('a gap that is noticed during a look is judged by the next one', async () => {
  const { watch, partition, earliest, skipped, pass } = watched();
  watch.gap(partition, 5, 6);
  // The request is in flight, and has been answered with a log that begins at 0.
  partition.next = 12;
  watch.gap(partition, 6, 12);
  await pass(0);
  expect(partition.gaps).toEqual([{ from: 6, to: 12 }]);
  earliest(12);
  await pass(1_000);
  expect(skipped).toMatchObject([{ from: 6, to: 12 }]);
});

test('a partition whose topic is another one, or has been shorter in two looks, is opened again', async () => {
  const { look, reopened, pass } = watched();
  look.ranges.set(0, { earliest: 0, latest: 3 });
  await pass(5_000);
  expect(reopened).toEqual([]);
  await pass(5_000);
  expect(reopened).toEqual([0]);
  look.ranges.set(0, { earliest: 0, latest: 20 });
  await pass(5_000);
  expect(reopened).toEqual([0]);
  look.logId = 'b';
  await pass(5_000);
  expect(reopened).toEqual([0, 0]);
});

test('a topic that is gone is told until it is back', async () => {
  const { watch, state, look, pass } = watched();
  state.look = undefined;
  await pass(5_000);
  expect(watch.summary).toBe('topic topic does not exist');
  expect(watch.has('missing')).toBe(true);
  state.look = look;
  await pass(5_000);
  expect(watch.summary).toBeUndefined();
});

test('a gap in a partition that has no leader waits until its log can be seen', async () => {
  const { watch, partition, look, earliest, skipped, pass } = watched();
  look.ranges.clear();
  partition.next = 9;
  watch.gap(partition, 5, 9);
  await pass(3_000);
  expect(partition.gaps).toEqual([{ from: 5, to: 9 }]);
  earliest(9);
  await pass(1_000);
  expect(skipped).toMatchObject([{ from: 5, to: 9, reason: 'removed' }]);
});
