import { expect, test } from 'vitest';
import { InsertUnavailableError, insertRows } from '../../bridge/warehouse/row-insert.ts';
import { failed, type InsertAnswer, insertAllServer, inserted } from './big-query.ts';

async function table(answer: (insertIds: string[]) => InsertAnswer) {
  const { bigQuery, requests } = await insertAllServer(answer);
  return { table: bigQuery.dataset('d').table('t'), requests };
}

const rows = ['a', 'b', 'c', 'd'].map((insertId) => ({ insertId, json: {} }));
const failure = (index: number, reason: string) => ({ index, reason, message: `${reason} row` });

test('names the refused rows; the others are in', async () => {
  const { table: subject, requests } = await table(() => inserted([failure(2, 'invalid')]));
  expect(await insertRows(subject, rows)).toEqual([{ index: 2, reason: 'invalid row' }]);
  expect(requests).toEqual([['a', 'b', 'c', 'd']]);
});

test.each(['stopped', 'backendError', 'timeout'])('a row that failed with %s is no bad row', async (reason) => {
  const { table: subject } = await table(() => inserted([failure(0, reason)]));
  await expect(insertRows(subject, rows)).rejects.toThrow(InsertUnavailableError);
});

test.each([400, 413])(
  'halves a request that is refused with %i until the row at fault stands alone',
  async (status) => {
    const { table: subject, requests } = await table((ids) =>
      ids.includes('c') ? failed(status, 'bad request') : inserted(),
    );
    expect(await insertRows(subject, rows)).toEqual([{ index: 2, reason: 'bad request' }]);
    expect(requests).toEqual([['a', 'b', 'c', 'd'], ['a', 'b'], ['c', 'd'], ['c'], ['d']]);
  },
);

test.each([401, 403, 404, 429, 500, 503])('%i is an outage, not the fault of a row', async (status) => {
  const { table: subject, requests } = await table(() => failed(status, 'no'));
  await expect(insertRows(subject, rows)).rejects.toThrow(InsertUnavailableError);
  expect(requests).toHaveLength(1);
});
