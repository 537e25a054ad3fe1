import type { RequestListener } from 'node:http';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { startBridge } from '../../bridge/bridge.ts';
import { startLoyalty } from '../../bridge/loyalty/loyalty-function.ts';
import { BigQuerySilentError, createBigQuery, NotBigQueryError } from '../../bridge/pubsub/google-cloud.ts';
import { InsertUnavailableError, insertRows } from '../../bridge/warehouse/row-insert.ts';
import { startWarehouse } from '../../bridge/warehouse/warehouse.ts';
import { warehouseEvents } from '../../bridge/warehouse/warehouse-events.ts';
import { ensureWarehouse } from '../../bridge/warehouse/warehouse-schema.ts';
import { loadConfig } from '../../contracts/config/config.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { bigQueryServer } from './big-query.ts';

const logger = createLogger('test', 'silent');

beforeEach(() => {
  // No metadata server, no key file, no gcloud: a machine without any Google Cloud.
  vi.stubEnv('METADATA_SERVER_DETECTION', 'none');
  vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', undefined);
  vi.stubEnv('CLOUDSDK_CONFIG', '/nonexistent');
  vi.stubEnv('HOME', '/nonexistent');
});
afterEach(() => {
  vi.unstubAllEnvs();
});

test.each([
  ['bridge', startBridge, /PUBSUB_EMULATOR_HOST/],
  ['loyalty', startLoyalty, /PUBSUB_EMULATOR_HOST/],
  ['warehouse', startWarehouse, /PUBSUB_EMULATOR_HOST and BIGQUERY_EMULATOR_HOST/],
])('%s without Google Cloud is refused with the variables that would help', async (_, start, variables) => {
  const config = loadConfig({ KAFKA_BROKERS: '127.0.0.1:9', DATABASE_URL: 'postgres://127.0.0.1:9/none' });
  const refusal = expect(start(config, logger)).rejects;
  await refusal.toThrow(variables);
  await expect(start(config, logger)).rejects.toThrow(/GOOGLE_APPLICATION_CREDENTIALS/);
});

test.each(['127.0.0.1:9050', 'http://127.0.0.1:9050/'])('the emulator at %s is called at its REST path', (address) => {
  // The client by itself would take the variable for a base URL.
  vi.stubEnv('BIGQUERY_EMULATOR_HOST', address);
  expect(createBigQuery({ project: 'p', bigQueryEmulator: address }, 1_000).baseUrl).toBe(
    'http://127.0.0.1:9050/bigquery/v2',
  );
});

test('a BigQuery that takes a request and never answers ends the call at its deadline', async () => {
  const { bigQuery } = await bigQueryServer(() => {}, 50);
  const dataset = bigQuery.dataset('d');
  await expect(dataset.table('t').insert([{ a: 1 }])).rejects.toThrow(BigQuerySilentError);
  await expect(dataset.exists()).rejects.toThrow('no answer within 50 ms');
});

const page = '<html><title>Please log in</title></html>';
const html = { 'content-type': 'text/html' };
const json = { 'content-type': 'application/json' };

test.each<[string, RequestListener]>([
  ['a page', (_, response) => response.writeHead(200, html).end(page)],
  [
    'a redirect to a page',
    ({ url }, response) =>
      url === '/login'
        ? response.writeHead(200, html).end(page)
        : response.writeHead(302, { location: '/login' }).end(),
  ],
  ['nothing', (_, response) => response.writeHead(200).end()],
  ['an array', (_, response) => response.writeHead(200, json).end('[]')],
  ['null', (_, response) => response.writeHead(200, json).end('null')],
  ['JSON without a kind', (_, response) => response.writeHead(200, json).end('{"status":"ok"}')],
  ['JSON of another kind', (_, response) => response.writeHead(200, json).end('{"kind":"login page"}')],
])('%s is not the answer of BigQuery: nothing is loaded, in place or read', async (_, answer) => {
  const { address, bigQuery } = await bigQueryServer((request, response) => {
    request.resume();
    request.on('end', () => answer(request, response));
  });
  const insert = insertRows(bigQuery.dataset('d').table('t'), [{ insertId: 'a', json: {} }]);
  const refusal = expect(insert).rejects;
  await refusal.toThrow(InsertUnavailableError);
  await expect(insert).rejects.toThrow(/is not BigQuery's.*BIGQUERY_EMULATOR_HOST/);
  await expect(ensureWarehouse(bigQuery, 'p', 'd')).rejects.toThrow(NotBigQueryError);
  await expect(warehouseEvents(loadConfig({ BIGQUERY_EMULATOR_HOST: address }), 0)).rejects.toThrow(NotBigQueryError);
});

test('a deletion is answered with nothing', async () => {
  const { bigQuery } = await bigQueryServer((_, response) => response.writeHead(204).end());
  await bigQuery.dataset('d').delete();
});
