import { expect, test } from 'vitest';
import { startPayment } from '../../../../actors/payment/payment-role.ts';
import { paymentSettings } from '../../../../actors/payment/settings.ts';
import { loadConfig } from '../../../../contracts/config/config.ts';
import { createAdmin } from '../../../../kafka/index.ts';
import { createLogger } from '../../../../telemetry/logger.ts';
import { createTestDatabase, kafkaEnvironment, servers, uniqueName } from '../../../support/servers.ts';

test('the payment role listens for webhooks where it has a secret, and shows their metrics', async () => {
  await using database = await createTestDatabase();
  const topic = uniqueName('validated');
  const admin = await createAdmin({ clientId: 'test', cluster: servers().cluster });
  await admin.createTopics([{ topic, partitions: 1, replicationFactor: 1 }]);
  const config = loadConfig({
    ...kafkaEnvironment(),
    DATABASE_URL: database.url,
    ORDERMESH_ADMIN_PORT: '0',
    ORDERMESH_SLOTS: '1',
    ORDERMESH_PAYMENT_PROVIDER: 'stripe',
    STRIPE_SECRET_KEY: 'sk_test_local',
    STRIPE_API_BASE: 'http://127.0.0.1:1',
    STRIPE_WEBHOOK_SECRET: 'whsec_test',
    ORDERMESH_STRIPE_WEBHOOK_PORT: '0',
  });
  const role = await startPayment({
    role: 'payment',
    config,
    logger: createLogger('payment', 'silent'),
    topic,
    group: uniqueName('payment'),
    actorModule: new URL('../../../../actors/payment/actor.ts', import.meta.url),
    settings: paymentSettings(config),
  });
  try {
    const answer = await fetch(`${role.addresses.webhooks}/webhooks/stripe`, { method: 'POST', body: '{}' });
    expect(answer.status).toBe(400);
    const metrics = await (await fetch(`${role.addresses.admin}/metrics`)).text();
    expect(metrics).toMatch(/ordermesh_payment_webhooks_total\{[^}]*outcome="refused"[^}]*\} 1/);
    expect(metrics).toContain('ordermesh_runtime_prepares_limit');
    expect(metrics).toContain('ordermesh_payment_provider_seconds');
  } finally {
    await role.close();
    await admin.deleteTopics([topic]);
    await admin.close();
  }
});
