import { expect, test } from 'vitest';
import { AssignedPartition } from '../../runtime/host/partitions/assigned-partition.ts';
import { FrontierWatch } from '../../runtime/host/partitions/frontier-watch.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { ManualTimers } from './manual-timers.ts';

const limits = { messagesMax: 100, bytesMax: 1_000, windowMax: 100 };
const record = (offset: number) => ({ offset, timestamp: 0, key: null, value: null, headers: {} });
const progress = { partition: 3, incarnation: 1, messages: 1, bytes: 1, parkedKeys: 0, keys: 0 };

function bench() {
  const timers = new ManualTimers();
  const lines: string[] = [];
  const logger = createLogger('test', 'silent');
  const note = (_: object, message?: string) => void lines.push(message ?? '');
  Object.assign(logger, { error: note, info: note });
  const partition = new AssignedPartition(3, 0, 1, limits, timers.now());
  partition.phase = 'running';
  let isExplained = false;
  const watch = new FrontierWatch({
    topic: 't',
    partitions: () => [partition],
    isExplained: () => isExplained,
    timers,
    logger,
  });
  watch.start();
  return { timers, lines, partition, watch, explain: (is: boolean) => (isExplained = is) };
}

test('a message that does not finish is told once within 15 s, with its offset and since when, and its end once', async () => {
  const { timers, lines, partition, watch } = bench();
  await timers.advance(60_000);
  expect(watch.standing).toEqual([]);
  partition.taken([record(7), record(8)], 2, watch.now());
  const since = timers.now();
  await timers.advance(15_000);
  const reason = 'the message at offset 7 does not finish';
  expect(watch.standing).toEqual([{ partition: { topic: 't', partition: 3 }, reason, since }]);
  await timers.advance(60_000);
  expect(lines).toEqual(['partition stands']);
  partition.progressed({ ...progress, frontier: 8 }, watch.now());
  expect(watch.standing).toEqual([]);
  await timers.advance(2_000);
  expect(lines).toEqual(['partition stands', 'partition moves again, or its reason is known']);
});

test('what waits for something that is known to be down is not told twice', async () => {
  const { timers, lines, partition, watch, explain } = bench();
  partition.taken([record(7)], 1, watch.now());
  explain(true);
  await timers.advance(60_000);
  expect([watch.standing, lines]).toEqual([[], []]);
});

test('a clock that is put back or forward hides no message that does not finish, and invents none', async () => {
  const { timers, lines, partition, watch } = bench();
  await timers.advance(3_000);
  partition.taken([record(7)], 1, watch.now());
  await timers.advance(5_000);
  timers.setBackMs = 3_600_000;
  expect(partition.frontierAgeMs(watch.now())).toBeGreaterThanOrEqual(0);
  await timers.advance(10_000);
  expect(lines).toEqual(['partition stands']);
  partition.progressed({ ...progress, frontier: 8 }, watch.now());
  await timers.advance(1_000);
  partition.taken([record(8)], 1, watch.now());
  timers.setBackMs = 0;
  await timers.advance(5_000);
  expect(watch.standing).toEqual([]);
});
