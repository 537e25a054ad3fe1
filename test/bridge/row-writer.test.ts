import { expect, test, vi } from 'vitest';
import { InsertUnavailableError } from '../../bridge/warehouse/row-insert.ts';
import { RowWriter } from '../../bridge/warehouse/row-writer.ts';

const limits = {
  rowsMax: 3,
  bytesMax: 100,
  writersMax: 1,
  gatherMs: 0,
  backoffMs: 1,
  backoffMsMax: 2,
  onFailure: () => {},
};
const row = (name: string, bytes = 1) => ({ name, bytes });

test('gathers what arrives while a request is in flight, within rows and bytes', async () => {
  const batches: string[][] = [];
  const done = Promise.withResolvers<void>();
  const writer = new RowWriter<{ name: string; bytes: number }>({
    ...limits,
    async write(batch) {
      batches.push(batch.map(({ name }) => name));
      if (batches.flat().length === 7) done.resolve();
    },
  });
  for (const [name, bytes] of [
    ['a', 1],
    ['b', 1],
    ['c', 1],
    ['d', 60],
    ['e', 60],
    ['f', 500],
    ['g', 1],
  ] as const)
    writer.add(row(name, bytes));
  await done.promise;
  expect(batches).toEqual([['a', 'b', 'c'], ['d'], ['e'], ['f'], ['g']]);
  await writer.close();
});

test('rows that fill no request wait for others, and no longer once they fill one', async () => {
  const batches: string[][] = [];
  const writer = new RowWriter<{ name: string; bytes: number }>({
    ...limits,
    gatherMs: 3_600_000,
    async write(batch) {
      batches.push(batch.map(({ name }) => name));
    },
  });
  writer.add(row('a'));
  await vi.waitFor(() => expect(batches).toEqual([['a']]));
  for (const name of ['b', 'c', 'd', 'e']) writer.add(row(name));
  await vi.waitFor(() => expect(batches).toEqual([['a'], ['b', 'c', 'd']]));
  writer.add(row('f', 100));
  await vi.waitFor(() => expect(batches.slice(2)).toEqual([['e'], ['f']]));
  await writer.close();
});

test('repeats a batch until it is written, and says so meanwhile', async () => {
  let failures = 0;
  let recoveries = 0;
  const written = Promise.withResolvers<readonly { name: string }[]>();
  const writer: RowWriter<{ name: string; bytes: number }> = new RowWriter({
    ...limits,
    async write(batch: readonly { name: string; bytes: number }[]) {
      if (failures < 3) throw new InsertUnavailableError('down');
      expect(writer.problem).toBe('down');
      written.resolve(batch);
    },
    onFailure: () => failures++,
    onRecovery: () => recoveries++,
  });
  writer.add(row('a'));
  expect(await written.promise).toEqual([row('a')]);
  await writer.close();
  expect(writer.problem).toBeUndefined();
  expect(recoveries).toBe(1);
});

test('close gives up what is waiting and does not wait for a service that is down', async () => {
  const tried = Promise.withResolvers<void>();
  const writer = new RowWriter<{ name: string; bytes: number }>({
    ...limits,
    backoffMs: 3_600_000,
    backoffMsMax: 3_600_000,
    async write() {
      tried.resolve();
      throw new InsertUnavailableError('down');
    },
  });
  writer.add(row('a'));
  await tried.promise;
  await writer.close();
});
