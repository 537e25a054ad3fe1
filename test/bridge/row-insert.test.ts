import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { createBigQuery } from '../../bridge/google-cloud.ts';
import { InsertUnavailableError, insertRows } from '../../bridge/row-insert.ts';

/**
 * What BigQuery answers to rows it refuses can't be provoked on the emulator, so its documented answers are served here to the real
 * client (REST reference, tabledata.insertAll).
 */
type Answer = (insertIds: string[]) => { status: number; body: object };

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

async function table(answer: Answer) {
  const calls: string[][] = [];
  server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk) => {
      text += chunk;
    });
    request.on('end', () => {
      const ids = (JSON.parse(text) as { rows: { insertId: string }[] }).rows.map(({ insertId }) => insertId);
      calls.push(ids);
      const { status, body } = answer(ids);
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { table: createBigQuery({ project: 'p', bigQueryEmulator: address }, 5_000).dataset('d').table('t'), calls };
}

const kind = 'bigquery#tableDataInsertAllResponse';
const rows = ['a', 'b', 'c', 'd'].map((insertId) => ({ insertId, json: {} }));
const failure = (index: number, reason: string) => ({ index, errors: [{ reason, message: `${reason} row` }] });

test('names the refused rows; the others are in', async () => {
  const { table: subject, calls } = await table(() => ({
    status: 200,
    body: { kind, insertErrors: [failure(2, 'invalid')] },
  }));
  expect(await insertRows(subject, rows)).toEqual([{ index: 2, reason: 'invalid row' }]);
  expect(calls).toEqual([['a', 'b', 'c', 'd']]);
});

test.each(['stopped', 'backendError', 'timeout'])('a row that failed with %s is no bad row', async (reason) => {
  const { table: subject } = await table(() => ({ status: 200, body: { kind, insertErrors: [failure(0, reason)] } }));
  await expect(insertRows(subject, rows)).rejects.toThrow(InsertUnavailableError);
});

test.each([400, 413])(
  'halves a request that is refused with %i until the row at fault stands alone',
  async (status) => {
    const { table: subject, calls } = await table((ids) =>
      ids.includes('c')
        ? { status, body: { error: { code: status, message: 'bad request' } } }
        : { status: 200, body: { kind } },
    );
    expect(await insertRows(subject, rows)).toEqual([{ index: 2, reason: 'bad request' }]);
    expect(calls).toEqual([['a', 'b', 'c', 'd'], ['a', 'b'], ['c', 'd'], ['c'], ['d']]);
  },
);

test.each([401, 403, 404, 429, 500, 503])('%i is an outage, not the fault of a row', async (status) => {
  const { table: subject, calls } = await table(() => ({ status, body: { error: { code: status, message: 'no' } } }));
  await expect(insertRows(subject, rows)).rejects.toThrow(InsertUnavailableError);
  expect(calls).toHaveLength(1);
});
