import { expect, test, vi } from 'vitest';
import { loadConfig } from '../../contracts/config/config.ts';
import { topics } from '../../contracts/topics.ts';
import { applyTopics, createAdmin } from '../../kafka/index.ts';
import { startOwnBroker } from '../support/own-broker.ts';
import { sampleOrder, startTestGateway } from './support.ts';

/** Many items: 8 KB and more, which the schema allows. */
function largeOrder() {
  const [item] = sampleOrder().items;
  if (item === undefined) throw new Error('the sample order has no items');
  const items = Array.from({ length: 90 }, () => item);
  return sampleOrder({ items, total: items.length * 2 * 599 });
}

test('an order that Kafka will never take gets a final answer, and the gateway stays ready for others', async () => {
  await using broker = await startOwnBroker();
  const admin = await createAdmin({ clientId: 'test', cluster: broker.cluster });
  const config = { 'max.message.bytes': '2000' };
  await admin.createTopics([{ topic: topics.rawOrders, partitions: 2, replicationFactor: 1, config }]);
  await applyTopics(admin, loadConfig({ ORDERMESH_PARTITIONS: '2' }));
  await admin.close();
  await using gateway = await startTestGateway(broker.environment);

  const answers = await Promise.all(
    [largeOrder(), sampleOrder(), largeOrder(), sampleOrder()].map((order) => gateway.post(order)),
  );
  expect(answers.map(({ status }) => status)).toEqual([413, 202, 413, 202]);
  expect(answers[0]?.body).toMatchObject({
    code: 'body-too-large',
    detail: expect.stringMatching(/raw-orders.*MESSAGE_TOO_LARGE/),
  });
  expect(answers[0]?.headers.get('retry-after')).toBeNull();

  const large = largeOrder();
  const lines = `${JSON.stringify(large)}\n${JSON.stringify(sampleOrder())}\n`;
  const batch = await gateway.call('/v1/orders/batch', {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body: lines,
  });
  expect(batch.body.results).toMatchObject([
    { index: 0, orderId: large.orderId, status: 413, problem: { code: 'body-too-large' } },
    { index: 1, status: 202 },
  ]);
  await vi.waitFor(async () => expect((await fetch(`${gateway.admin}/readyz`)).status).toBe(200));
});
