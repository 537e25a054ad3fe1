import { expect, test } from 'vitest';
import type { GroupConsumer } from '../../kafka/consumer/consumer.ts';
import type { Ownership } from '../../runtime/host/host-ports.ts';
import { OutageBoard } from '../../runtime/host/outage-board.ts';
import { AssignedPartition } from '../../runtime/host/partitions/assigned-partition.ts';
import { Assignment } from '../../runtime/host/partitions/assignment.ts';
import type { LogWatch } from '../../runtime/host/partitions/log-watch.ts';
import { PartitionOpener } from '../../runtime/host/partitions/partition-opener.ts';
import type { SlotSet } from '../../runtime/host/slots/slot-set.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { ManualTimers } from './manual-timers.ts';

const limits = { messagesMax: 10, bytesMax: 1_000, windowMax: 100 };

test('a partition that cannot be claimed just now keeps no other one closed, is named, and opens later', async () => {
  const timers = new ManualTimers();
  const assignment = new Assignment('topic');
  assignment.consumer = { pause() {}, resume() {}, seek() {} } as unknown as GroupConsumer;
  const partitions = [0, 1].map((partition) => new AssignedPartition(partition, 0, 1, limits, 0));
  for (const partition of partitions) assignment.add(partition);
  const claimable = new Set([0]);
  const outages = new OutageBoard();
  const opener = new PartitionOpener({
    assignment,
    slots: { at: () => ({ running: true, open: async () => {} }) } as unknown as SlotSet,
    ownership: {
      claim: async (wanted: readonly number[]) =>
        new Map(wanted.filter((one) => claimable.has(one)).map((one) => [one, { epoch: 1, parked: [] } as Ownership])),
      close: async () => {},
    },
    outages,
    timers,
    logger: createLogger('test', 'silent'),
    logWatch: {} as LogWatch,
  });
  const phases = () => partitions.map(({ phase }) => phase);
  const opening = opener.open(partitions);
  await timers.advance(0);
  expect(phases()).toEqual(['running', 'opening']);
  expect(outages.summary).toMatch('assignment/broker is down (KafkaUnavailableError: partitions 1 have no leader');
  claimable.add(1);
  await timers.advance(10_000);
  await opening;
  expect(phases()).toEqual(['running', 'running']);
  expect(outages.summary).toBeUndefined();
});
