import { expect, test } from 'vitest';
import type { FetchedRecord } from '../../kafka/consumer/consumer.ts';
import { AssignedPartition } from '../../runtime/host/partitions/assigned-partition.ts';

const limits = { messagesMax: 10, bytesMax: 1_000, windowMax: 100 };
const create = () => new AssignedPartition(3, 0, 1, limits, 0);
const records = (first: number, count: number): FetchedRecord[] =>
  Array.from({ length: count }, (_, index) => ({
    offset: first + index,
    timestamp: 0,
    key: null,
    value: null,
    headers: {},
  }));
const progress = (frontier: number, messages: number, bytes: number) => ({
  partition: 3,
  incarnation: 1,
  frontier,
  messages,
  bytes,
  parkedKeys: 0,
  keys: 0,
});

test('full at a bound of messages or bytes, slack at half of both', () => {
  const partition = create();
  partition.taken(records(0, 9), 100, 0);
  expect(partition.full).toBe(false);
  partition.taken(records(9, 1), 900, 0);
  expect(partition.full).toBe(true);
  partition.progressed(progress(5, 5, 400), 0);
  expect([partition.full, partition.slack]).toEqual([false, false]);
  partition.progressed(progress(6, 1, 100), 0);
  expect(partition.slack).toBe(true);
});

test('full when the newest record is too far ahead of an unfinished one, however few are in flight', () => {
  const partition = create();
  partition.taken(records(0, 1), 1, 0);
  for (let offset = 1; offset < 100; offset++) {
    partition.taken(records(offset, 1), 1, 0);
    partition.progressed(progress(0, 1, 1), 0);
  }
  expect(partition.messages).toBe(1);
  expect([partition.full, partition.slack]).toEqual([true, false]);
});

test('redelivered records are dropped, also in the middle of a batch', () => {
  const partition = create();
  partition.taken(records(5, 5), 5, 0);
  expect(partition.fresh(records(4, 4)).length).toBe(0);
  expect(partition.fresh(records(8, 4)).map(({ offset }) => offset)).toEqual([10, 11]);
});

test('after a restart it goes on from the frontier, with nothing in flight', () => {
  const partition = create();
  partition.taken(records(5, 20), 2_000, 0);
  partition.progressed(progress(7, 4, 4), 0);
  partition.restart(2);
  expect(partition).toMatchObject({ next: 7, frontier: 7, messages: 0, bytes: 0, incarnation: 2, phase: 'opening' });
  expect([...partition.pauses]).toEqual(['opening']);
});

test('only a frontier that moved is to be committed, and its age counts while something is in flight', () => {
  const partition = create();
  partition.taken(records(5, 2), 2, 1_000);
  partition.committed = 5;
  expect(partition.uncommitted).toBeUndefined();
  expect(partition.frontierAgeMs(3_000)).toBe(2_000);
  partition.progressed(progress(6, 1, 1), 4_000);
  expect(partition.uncommitted).toBe(6);
  expect(partition.frontierAgeMs(4_500)).toBe(500);
  partition.progressed(progress(7, 1, 1), 5_000);
  expect(partition.frontierAgeMs(9_000)).toBe(0);
});
