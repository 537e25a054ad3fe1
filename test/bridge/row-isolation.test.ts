import { expect, test, vi } from 'vitest';
import { insertRows } from '../../bridge/warehouse/row-insert.ts';
import { RowIsolation } from '../../bridge/warehouse/row-isolation.ts';
import { RowWriter } from '../../bridge/warehouse/row-writer.ts';
import { SuspectRows } from '../../bridge/warehouse/suspect-rows.ts';
import { failed, insertAllServer, inserted } from './big-query.ts';

interface Row {
  name: string;
  bytes: number;
}

/** A BigQuery that fails every request with a bad row. */
interface State {
  bad: string[];
  status: number;
  away: boolean;
  /** Status 200, and an error for each row, as for a table that lost a column. */
  refusesRows?: boolean;
  /** Called when the answer of a request is decided. */
  onRequest?: (ids: string[]) => void;
}

async function bench(state: State) {
  const { bigQuery, requests } = await insertAllServer((ids) => {
    const status = state.away || ids.some((id) => state.bad.includes(id)) ? state.status : 200;
    state.onRequest?.(ids);
    if (state.refusesRows === true)
      return inserted(ids.map((_, index) => ({ index, reason: 'invalid', message: 'no such field' })));
    return status === 200 ? inserted() : failed(status, 'stumbled');
  });
  const table = bigQuery.dataset('d').table('t');
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
  // The batch and the row that was taken before, in rotation; never a part of the batch.
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

/** BigQuery's answer for a row, or for a request with it. */
const refusals = [
  { status: 400, refusesRows: false },
  { status: 413, refusesRows: false },
  { status: 422, refusesRows: false },
  { status: 200, refusesRows: true },
];

test.each(refusals)(
  '$status for every row, from the start, is an outage (each row by name: $refusesRows)',
  async (refusal) => {
    for (const count of [1, 2, names.length]) {
      const one = await bench({ bad: [], away: true, ...refusal });
      one.add(...names.slice(0, count));
      await vi.waitFor(() => expect(one.writer.failing).toBeGreaterThan(5), { timeout: 20_000 });
      expect(one.writer.problem).toContain('refused');
      expect([one.loaded, one.refused, one.suspects.count]).toEqual([[], [], 0]);
      one.state.away = false;
      one.state.refusesRows = false;
      await vi.waitFor(() => expect(new Set(one.loaded)).toEqual(new Set(names.slice(0, count))), { timeout: 20_000 });
      expect(one.refused).toEqual([]);
      await one.close();
    }
  },
);

test('rows that are refused from the start are parked once BigQuery takes another', async () => {
  const one = await bench({ bad: ['bad-1', 'bad-2', 'bad-3', 'bad-4'], status: 400, away: false });
  one.add(...one.state.bad);
  await vi.waitFor(() => expect(one.writer.failing).toBeGreaterThan(5), { timeout: 20_000 });
  expect(one.refused).toEqual([]);
  one.add('good');
  await vi.waitFor(() => expect(one.refused.map(([name]) => name).sort()).toEqual(one.state.bad), { timeout: 20_000 });
  expect(new Set(one.loaded)).toEqual(new Set(['good']));
  expect(one.writer.problem).toBeUndefined();
  await one.close();
});

test('more bad rows than a request holds do not keep a good one from being tried', async () => {
  const one = await bench({ bad: Array.from({ length: 105 }, (_, index) => `bad-${index}`), status: 400, away: false });
  one.add(...one.state.bad, 'good');
  await vi.waitFor(() => expect(one.loaded).toContain('good'), { timeout: 20_000 });
  await vi.waitFor(() => expect(one.refused).toHaveLength(105), { timeout: 20_000 });
  await one.close();
});

test('a request that is refused after its first half was taken is no fault of the second half', async () => {
  const one = await bench({ bad: ['row-19'], status: 400, away: false });
  one.state.onRequest = (ids) => {
    // Here the refusals begin between two requests.
    if (ids.length === 10 && ids.includes('row-0')) one.state.away = true;
  };
  one.add(...names);
  await vi.waitFor(() => expect(one.writer.failing).toBeGreaterThan(5), { timeout: 20_000 });
  expect(one.refused).toEqual([]);
  expect(new Set(one.loaded)).toEqual(new Set(names.slice(0, 10)));
  one.state.away = false;
  await vi.waitFor(() => expect(one.refused.map(([name]) => name)).toEqual(['row-19']), { timeout: 20_000 });
  // Each is acknowledged once.
  expect(one.loaded.toSorted()).toEqual(names.filter((name) => name !== 'row-19').toSorted());
  await one.close();
});

test('rows that were refused while an outage ended are tried again', async () => {
  const one = await bench({ bad: [], status: 400, away: false });
  one.add('first');
  await vi.waitFor(() => expect(one.loaded).toEqual(['first']));
  one.state.away = true;
  one.state.onRequest = (ids) => {
    // The last row has just been refused; the row that was taken before is sent next.
    if (ids.length === 1 && ids[0] === 'row-19') one.state.away = false;
  };
  one.add(...names);
  await vi.waitFor(() => expect(new Set(one.loaded)).toEqual(new Set(['first', ...names])), { timeout: 20_000 });
  expect(one.refused).toEqual([]);
  await one.close();
});

test('a suspect that is refused together with everything else is not given up', async () => {
  const one = await bench({ bad: [], status: 400, away: false });
  one.add('first');
  await vi.waitFor(() => expect(one.loaded).toEqual(['first']));
  one.state.away = true;
  const before = one.requests.length;
  one.suspects.add({ name: 'row-7', bytes: 1 }, new Error('stumbled'));
  await vi.waitFor(() => expect(one.requests.length).toBeGreaterThan(before + 10), { timeout: 20_000 });
  expect(one.refused).toEqual([]);
  one.state.away = false;
  await vi.waitFor(() => expect(one.loaded).toContain('row-7'), { timeout: 20_000 });
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
