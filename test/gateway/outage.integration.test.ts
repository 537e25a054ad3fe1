import { expect, test, vi } from 'vitest';
import { startKafkaProxy } from '../support/kafka-proxy.ts';
import { kafkaEnvironment, servers } from '../support/servers.ts';
import { sampleOrder, startTestGateway, watchRawOrders } from './support.ts';

const DEADLINE_MS = 1_000;

async function behindProxy() {
  const proxy = await startKafkaProxy(servers().cluster.brokers[0] ?? '');
  const gateway = await startTestGateway({
    ...kafkaEnvironment(proxy.address),
    ORDERMESH_PRODUCE_DEADLINE: `${DEADLINE_MS}ms`,
  });
  return { proxy, gateway };
}

test('without Kafka orders get 503 at once after the first deadline, never 202, and are taken again when it is back', async () => {
  await using log = await watchRawOrders();
  const { proxy, gateway } = await behindProxy();
  await using _proxy = proxy;
  await using _gateway = gateway;
  expect((await gateway.post(sampleOrder())).status).toBe(202);
  proxy.cut();
  const lost = [sampleOrder(), sampleOrder()];
  for (const { status } of await Promise.all(lost.map((order) => gateway.post(order)))) expect(status).toBe(503);
  // If each of them waited for its deadline, the test would exceed its time limit.
  await vi.waitFor(async () => expect((await fetch(`${gateway.admin}/readyz`)).status).toBe(503));
  for (let n = 0; n < 100; n++) {
    const answer = await gateway.post(sampleOrder());
    expect(answer).toMatchObject({ status: 503, body: { code: 'log-unavailable' } });
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  }
  const metrics = await (await fetch(`${gateway.admin}/metrics`)).text();
  expect(metrics).toMatch(/^ordermesh_gateway_unanswered_orders\{[^}]*\} 0$/m);
  proxy.restore();
  const [order = sampleOrder()] = lost;
  await vi.waitFor(async () => expect((await gateway.post(order)).status).toBe(202), { timeout: 20_000 });
  await vi.waitFor(() => expect(log.records.get(order.orderId)?.length).toBeGreaterThan(0), { timeout: 10_000 });
  await vi.waitFor(async () => expect((await fetch(`${gateway.admin}/readyz`)).status).toBe(200), { timeout: 10_000 });
});

test('an append whose acknowledgement was lost is repeated with the same key and bytes, and logged once', async () => {
  await using log = await watchRawOrders();
  const proxy = await startKafkaProxy(servers().cluster.brokers[0] ?? '');
  await using _proxy = proxy;
  await using gateway = await startTestGateway({
    ...kafkaEnvironment(proxy.address),
    ORDERMESH_PRODUCE_DEADLINE: '20s',
  });
  expect((await gateway.post(sampleOrder())).status).toBe(202);
  proxy.dropAnswers();
  const order = sampleOrder();
  const answer = gateway.post(order);
  await vi.waitFor(() => expect(log.records.get(order.orderId)).toHaveLength(1), { timeout: 10_000 });
  proxy.restore();
  expect((await answer).status).toBe(202);
  const later = sampleOrder();
  expect((await gateway.post(later)).status).toBe(202);
  await vi.waitFor(() => expect(log.records.get(later.orderId)).toHaveLength(1), { timeout: 10_000 });
  expect(log.records.get(order.orderId)).toHaveLength(1);
});
