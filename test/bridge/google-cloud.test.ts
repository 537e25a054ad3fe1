import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { startBridge } from '../../bridge/bridge.ts';
import { BigQuerySilentError, createBigQuery } from '../../bridge/google-cloud.ts';
import { startLoyalty } from '../../bridge/loyalty-function.ts';
import { startWarehouse } from '../../bridge/warehouse.ts';
import { loadConfig } from '../../contracts/config.ts';
import { createLogger } from '../../telemetry/logger.ts';

const logger = createLogger('test', 'silent');

beforeEach(() => {
  // No metadata server, no key file, no gcloud: a machine that never heard of Google Cloud.
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
  // The client would take the variable for a base URL by itself.
  vi.stubEnv('BIGQUERY_EMULATOR_HOST', address);
  expect(createBigQuery({ project: 'p', bigQueryEmulator: address }, 1_000).baseUrl).toBe(
    'http://127.0.0.1:9050/bigquery/v2',
  );
});

test('a BigQuery that takes a request and never answers ends the call at its deadline', async () => {
  const server = createServer(() => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const dataset = createBigQuery({ project: 'p', bigQueryEmulator: address }, 50).dataset('d');
  await expect(dataset.table('t').insert([{ a: 1 }])).rejects.toThrow(BigQuerySilentError);
  await expect(dataset.exists()).rejects.toThrow('no answer within 50 ms');
  server.closeAllConnections();
  server.close();
});
