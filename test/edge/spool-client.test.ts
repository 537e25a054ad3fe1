import { closeSync, mkdtempSync, openSync, rmSync, truncateSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { SpoolClient, type SpoolClientOptions, SpoolStalledError } from '../../edge/spool/client.ts';
import type { NewOrder, Outcome } from '../../edge/spool/order.ts';
import { SpoolFullError } from '../../edge/spool/spool.ts';

let directory: string;
let client: SpoolClient;
const path = () => join(directory, 'spool.db');
const query = { ordersMax: 10_000, bytesMax: 2 ** 30, after: [], except: [] };

const open = (changes: Partial<SpoolClientOptions> = {}) =>
  SpoolClient.open({
    path: path(),
    unsentOrdersMax: 100_000,
    bytesMax: 2 ** 30,
    diskFreeMin: 0,
    replayWindowMs: 60_000,
    deadlineMs: 30_000,
    ...changes,
  });

const newOrder = (n: number): NewOrder => ({
  orderId: `order-${n}`,
  storeId: 's',
  lane: 0,
  content: 'c',
  acceptedAt: n,
  value: Buffer.from(`{"n":${n},"filling":"${'x'.repeat(800)}"}`),
});
const append = (n: number) =>
  new Promise<Outcome | undefined>((resolve, reject) =>
    client.append(newOrder(n), (error, outcome) => (error === null ? resolve(outcome) : reject(error))),
  );

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'spool-'));
});
afterEach(async () => {
  await client.close();
  rmSync(directory, { recursive: true });
});

test('keeps every byte, and the order of the calls over several commits', async () => {
  client = await open();
  const numbers = Array.from({ length: 500 }, (_, n) => n);
  expect(new Set(await Promise.all(numbers.map(append)))).toEqual(new Set(['kept']));
  const { orderIds, body } = await client.batch(query);
  expect(orderIds).toEqual(numbers.map((n) => `order-${n}`));
  const lines = Buffer.from(body).toString().trimEnd().split('\n');
  expect(lines).toEqual(numbers.map((n) => Buffer.from(newOrder(n).value).toString()));
});

test('commits waiting orders before it closes', async () => {
  client = await open();
  const waiting = append(1);
  await client.close();
  expect(await waiting).toBe('kept');
  client = await open();
  expect((await client.counts()).unsent).toBe(1);
});

test('answers within its deadline while the disk hangs, and goes on when the disk works again', async () => {
  client = await open({ deadlineMs: 100 });
  const other = new DatabaseSync(path());
  other.exec('begin immediate');
  await expect(append(1)).rejects.toBeInstanceOf(SpoolStalledError);
  await expect(append(2)).rejects.toBeInstanceOf(SpoolStalledError);
  other.exec('rollback');
  other.close();
  await vi.waitFor(async () => expect(await append(3)).toBe('kept'), { timeout: 20_000 });
  // The first order was being written; its sender was told that it may have been kept.
  expect((await client.batch(query)).orderIds).toEqual(['order-1', 'order-3']);
});

test('closes at the deadline while the disk hangs, reports that, and does not burn the processor meanwhile', async () => {
  client = await open({ deadlineMs: 300 });
  const other = new DatabaseSync(path());
  other.exec('begin immediate');
  const order = append(1);
  const settled = client.settle([{ sequence: 1, region: 'east' }]);
  const before = performance.eventLoopUtilization();
  const [closed, ...rest] = await Promise.allSettled([client.close(), order, settled]);
  // A loop over setImmediate would have used all of the time.
  expect(performance.eventLoopUtilization(before).utilization).toBeLessThan(0.8);
  expect(closed).toMatchObject({ status: 'rejected', reason: expect.any(SpoolStalledError) });
  for (const { status } of rest) expect(status).toBe('rejected');
  other.exec('rollback');
  other.close();
});

test('salvages a file that turns out to be damaged while it works', async () => {
  const reports: string[] = [];
  client = await open();
  await Promise.all(Array.from({ length: 400 }, (_, n) => append(n)));
  await client.close();
  const handle = openSync(path(), 'r+');
  writeSync(handle, Buffer.alloc(3 * 4_096, 0xff), 0, 3 * 4_096, 60 * 4_096);
  closeSync(handle);
  client = await open({ onSalvage: (report) => reports.push(report) });
  const { orderIds } = await client.batch(query);
  expect(orderIds.length).toBeGreaterThan(350);
  expect(reports).toHaveLength(1);
  expect((await client.counts()).damage).toContain('damaged');
  expect(await append(1_000)).toBe('kept');
});

test.each([
  [
    'whose first page is lost',
    () => {
      const handle = openSync(path(), 'r+');
      writeSync(handle, Buffer.alloc(4_096, 0xff), 0, 4_096, 0);
      closeSync(handle);
    },
  ],
  ['that was emptied', () => truncateSync(path())],
])('starts on a file %s, and says that it does not know what is lost', async (_, damage) => {
  const reports: string[] = [];
  client = await open();
  await Promise.all(Array.from({ length: 100 }, (_, n) => append(n)));
  await client.close();
  damage();
  client = await open({ onSalvage: (report) => reports.push(report) });
  expect(reports).toEqual([expect.stringContaining('it is not known how many orders were in it')]);
  expect(await client.counts()).toMatchObject({ unsent: 0, lossOpen: true });
  expect(await append(1_000)).toBe('kept');
});

test('says at its start that a file is missing which an earlier agent has used', async () => {
  const reports: string[] = [];
  client = await open({ onSalvage: (report) => reports.push(report) });
  expect(await append(1)).toBe('kept');
  // This writes the reserve too.
  expect(await client.counts()).toMatchObject({ unsent: 1, lossOpen: false });
  await client.close();
  for (const suffix of ['', '-wal', '-shm']) rmSync(path() + suffix, { force: true });
  client = await open({ onSalvage: (report) => reports.push(report) });
  expect(reports).toEqual([expect.stringContaining('the file was missing')]);
  expect(await client.counts()).toMatchObject({ unsent: 0, lossOpen: true });
  expect(await append(2)).toBe('kept');
});

test('takes no order into a file that was removed', async () => {
  client = await open();
  expect(await append(1)).toBe('kept');
  for (const suffix of ['', '-wal', '-shm']) rmSync(path() + suffix);
  await expect(append(2)).rejects.toBeInstanceOf(SpoolFullError);
  expect((await client.counts()).full).toContain(path());
  expect((await client.batch(query)).orderIds).toEqual(['order-1']);
});
