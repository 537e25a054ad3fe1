import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { startBridge } from '../../bridge/bridge.ts';
import { createBigQuery } from '../../bridge/google-cloud.ts';
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
