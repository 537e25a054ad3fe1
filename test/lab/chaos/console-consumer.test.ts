import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { type PrintedCommit, parsePrinted, readCommits } from '../../../lab/chaos/console-consumer.ts';

const line = (...fields: string[]) => fields.join('\u001f');

test('reads a record as the console consumer prints it', () => {
  const printed = line(
    'CreateTime:1795486253176',
    'Partition:4',
    'Offset:7',
    'ce_id:a/order.placed\u001ece_time:2026-11-24T02:10:53.175Z',
    'a',
    '{"total":1,"note":"a, b: c"}',
  );
  expect(parsePrinted(printed, 'raw-orders')).toEqual({
    topic: 'raw-orders',
    partition: 4,
    offset: 7,
    timestamp: 1795486253176,
    key: 'a',
    value: '{"total":1,"note":"a, b: c"}',
    headers: { ce_id: 'a/order.placed', ce_time: '2026-11-24T02:10:53.175Z' },
  });
});

test('reads a record without headers, key and value', () => {
  const none = '\u001dnull';
  expect(parsePrinted(line('CreateTime:1', 'Partition:0', 'Offset:0', 'NO_HEADERS', none, none), 't')).toMatchObject({
    key: null,
    value: null,
    headers: {},
  });
});

test('refuses what is not a record instead of judging half a history', () => {
  expect(() => parsePrinted('[2026-11-24] WARN something', 't')).toThrow('is not a record');
});

test('reads commits, which are printed without anything between them, and leaves out what is none', async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'commits-'));
  const commit = (partition: number, offset: number) =>
    `{"key":{"type":1,"data":{"group":"g","topic":"t","partition":${partition}}},"value":{"version":4,"data":{"offset":${offset},"leaderEpoch":-1,"metadata":"","commitTimestamp":99}}}`;
  const deletion = '{"key":{"type":1,"data":{"group":"g","topic":"t","partition":1}},"value":null}';
  try {
    const file = path.join(directory, 'commits.txt');
    await writeFile(file, commit(0, 5) + deletion + commit(1, 6));
    const read: PrintedCommit[] = [];
    for await (const each of readCommits(file)) read.push(each);
    expect(read).toEqual([
      { group: 'g', topic: 't', partition: 0, offset: 5, at: 99 },
      { group: 'g', topic: 't', partition: 1, offset: 6, at: 99 },
    ]);
  } finally {
    await rm(directory, { recursive: true });
  }
});
