import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test, vi } from 'vitest';
import { createBigQuery } from '../../bridge/google-cloud.ts';
import { insertRows } from '../../bridge/row-insert.ts';
import { RowIsolation } from '../../bridge/row-isolation.ts';
import { RowWriter } from '../../bridge/row-writer.ts';
import { SuspectRows } from '../../bridge/suspect-rows.ts';

/** A BigQuery that stumbles over some rows: any request with one of them is answered with this status. The client is the real one. */
let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

interface Row {
  name: string;
  bytes: number;
}

async function bench(state: { bad: string[]; status: number; away: boolean }) {
  const requests: string[][] = [];
  server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk) => {
      text += chunk;
    });
    request.on('end', () => {
      const ids = (JSON.parse(text) as { rows: { insertId: string }[] }).rows.map(({ insertId }) => insertId);
      requests.push(ids);
      const status = state.away || ids.some((id) => state.bad.includes(id)) ? state.status : 200;
      // Status 0: the connection ends without an answer.
      if (status === 0) return void request.socket.destroy();
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(status === 200 ? {} : { error: { code: status, message: 'stumbled' } }));
    });
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const table = createBigQuery({ project: 'p', bigQueryEmulator: address }, 5_000).dataset('d').table('t');
  const loaded: string[] = [];
  const refused: [string, string][] = [];
  const target = {
    insert: (rows: readonly Row[]) =>
      insertRows(
        table,
        rows.map(({ name }) => ({ insertId: name, json: {} })),
      ),
    onLoaded: (rows: readonly Row[]) => loaded.push(...rows.map(({ name }) => name)),
    onRefused: (row: Row, reason: string) => refused.push([row.name, reason]),
    backoffMs: 1,
    backoffMsMax: 5,
  };
  const isolation: RowIsolation<Row> = new RowIsolation<Row>({
    ...target,
    onSuspect: (row, error) => suspects.add(row, error),
  });
  const suspects = new SuspectRows<Row>({ ...target, works: () => isolation.works() });
  const writer = new RowWriter<Row>({
    ...target,
    write: (batch) => isolation.load(batch),
    rowsMax: 100,
    bytesMax: 1_000,
    writersMax: 1,
    gatherMs: 0,
    onFailure: () => {},
  });
  const add = (...names: string[]) => {
    for (const name of names) writer.add({ name, bytes: 1 });
  };
  const close = () => Promise.all([writer.close(), suspects.close()]);
  return { add, close, requests, loaded, refused, writer, suspects, state };
}

const names = Array.from({ length: 20 }, (_, index) => `row-${index}`);
const unclear = [500, 502, 503, 403, 404, 429, 0];

test.each(unclear)(
  'status %i for a batch is one bad row: the others are loaded, it alone is given up',
  async (status) => {
    const one = await bench({ bad: ['row-7'], status, away: false });
    one.add(...names);
    await vi.waitFor(() => expect(one.refused.map(([name]) => name)).toEqual(['row-7']), { timeout: 20_000 });
    expect(one.refused[0]?.[1]).toContain('takes others');
    expect(new Set(one.loaded)).toEqual(new Set(names.filter((name) => name !== 'row-7')));
    expect(one.writer.problem).toBeUndefined();
    expect(one.suspects.problem).toBeUndefined();
    await one.close();
  },
);

test.each(unclear)(
  'status %i for every row is an outage: nothing is given up, and all are loaded after it',
  async (status) => {
    const one = await bench({ bad: [], status, away: true });
    one.add(...names);
    await vi.waitFor(() => expect(one.writer.failing).toBeGreaterThan(5), { timeout: 20_000 });
    expect(one.writer.problem).toBeDefined();
    expect([one.loaded, one.refused, one.suspects.count]).toEqual([[], [], 0]);
    one.state.away = false;
    await vi.waitFor(() => expect(new Set(one.loaded)).toEqual(new Set(names)), { timeout: 20_000 });
    expect(one.refused).toEqual([]);
    await one.close();
  },
);

test('an outage after rows were taken costs one request a try, and blames no row', async () => {
  const one = await bench({ bad: [], status: 500, away: false });
  one.add('first');
  await vi.waitFor(() => expect(one.loaded).toEqual(['first']));
  one.state.away = true;
  one.add(...names);
  await vi.waitFor(() => expect(one.writer.failing).toBeGreaterThan(5), { timeout: 20_000 });
  // The batch and the row that was taken before, by turns; never a part of the batch.
  expect(new Set(one.requests.map(({ length }) => length))).toEqual(new Set([1, names.length]));
  expect([one.refused, one.suspects.count]).toEqual([[], 0]);
  one.state.away = false;
  await vi.waitFor(() => expect(new Set(one.loaded)).toEqual(new Set(['first', ...names])), { timeout: 20_000 });
  await one.close();
});

test('a bad row that is alone from the start waits until another one shows whose fault it is', async () => {
  const one = await bench({ bad: ['bad'], status: 500, away: false });
  one.add('bad');
  await vi.waitFor(() => expect(one.writer.failing).toBeGreaterThan(5), { timeout: 20_000 });
  expect(one.refused).toEqual([]);
  expect(one.writer.problem).toContain('500');
  one.add('good');
  await vi.waitFor(() => expect(one.refused.map(([name]) => name)).toEqual(['bad']), { timeout: 20_000 });
  expect(new Set(one.loaded)).toEqual(new Set(['good']));
  await one.close();
});

test('a suspect is not given up while BigQuery takes nothing', async () => {
  const one = await bench({ bad: ['row-7'], status: 500, away: false });
  one.add(...names.slice(0, 5));
  await vi.waitFor(() => expect(one.loaded).toHaveLength(5));
  one.state.away = true;
  one.suspects.add({ name: 'row-7', bytes: 1 }, new Error('stumbled'));
  const before = one.requests.length;
  await vi.waitFor(() => expect(one.requests.length).toBeGreaterThan(before + 20), { timeout: 20_000 });
  expect(one.refused).toEqual([]);
  expect(one.suspects.problem).toContain('1 rows are tried alone');
  one.state.away = false;
  await vi.waitFor(() => expect(one.refused.map(([name]) => name)).toEqual(['row-7']), { timeout: 20_000 });
  await one.close();
});
