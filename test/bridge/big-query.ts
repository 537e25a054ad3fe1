import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { BigQuery } from '@google-cloud/bigquery';
import { onTestFinished } from 'vitest';
import { createBigQuery } from '../../bridge/pubsub/google-cloud.ts';

/** Status 0: the connection ends without an answer. */
export interface InsertAnswer {
  status: number;
  body?: object;
}

/** The real client, connected to a server in the test, which closes when the test ends. */
export async function bigQueryServer(
  listener: RequestListener,
  timeoutMs = 5_000,
): Promise<{ address: string; bigQuery: BigQuery }> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { address, bigQuery: createBigQuery({ project: 'p', bigQueryEmulator: address }, timeoutMs) };
}

/**
 * A BigQuery with tabledata.insertAll only. The emulator refuses no row, so the test gives the documented answers.
 * @param answer for the insert ids of a request and the name of its table
 */
export async function insertAllServer(
  answer: (insertIds: string[], table: string) => InsertAnswer,
): Promise<{ bigQuery: BigQuery; requests: string[][] }> {
  const requests: string[][] = [];
  const { bigQuery } = await bigQueryServer((request, response) => {
    let text = '';
    request.on('data', (chunk) => {
      text += chunk;
    });
    request.on('end', () => {
      const ids = (JSON.parse(text) as { rows: { insertId: string }[] }).rows.map(({ insertId }) => insertId);
      requests.push(ids);
      const { status, body = {} } = answer(ids, /\/tables\/([^/]+)\//.exec(request.url ?? '')?.[1] ?? '');
      if (status === 0) request.socket.destroy();
      else response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
  });
  return { bigQuery, requests };
}

/** The answer to a request whose rows are inserted, except those with errors of their own. */
export function inserted(insertErrors: { index: number; reason: string; message: string }[] = []): InsertAnswer {
  const errors = insertErrors.map(({ index, ...error }) => ({ index, errors: [error] }));
  const refused = errors.length === 0 ? {} : { insertErrors: errors };
  return { status: 200, body: { kind: 'bigquery#tableDataInsertAllResponse', ...refused } };
}

export function failed(code: number, message: string): InsertAnswer {
  return { status: code, body: { error: { code, message } } };
}
