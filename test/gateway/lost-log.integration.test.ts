import { expect, test, vi } from 'vitest';
import { topics } from '../../contracts/topics.ts';
import { createRegionAdmin } from '../../kafka/admin/region-admin.ts';
import { createAdmin } from '../../kafka/index.ts';
import { startOwnBroker } from '../support/own-broker.ts';
import { sampleOrder, startTestGateway } from './support.ts';

vi.setConfig({ testTimeout: 180_000 });

test('an order whose log was lost is appended when it is sent again', async () => {
  await using broker = await startOwnBroker();
  const followed = [topics.rawOrders, topics.validatedOrders];
  for (const topic of followed) await broker.createTopic(topic, 1);
  const admin = await createAdmin({ clientId: 'test', cluster: broker.cluster });
  await using gateway = await startTestGateway({ ...broker.environment, ORDERMESH_PARTITIONS: '1' });
  const held = async () => {
    const [range = { earliest: 0, latest: 0 }] = await admin.offsets(topics.rawOrders);
    return range.latest - range.earliest;
  };
  const order = sampleOrder();
  const post = async () => (await gateway.post(order)).status;
  /** The gateway looks every few seconds; until then it answers from memory. */
  const appendedAgain = () =>
    vi.waitFor(
      async () => {
        expect(await post()).toBe(202);
        expect(await held()).toBe(1);
      },
      { timeout: 60_000, interval: 500 },
    );
  await vi.waitFor(async () => expect(await post()).toBe(202), { timeout: 30_000 });
  expect(await post()).toBe(202);
  expect(await held()).toBe(1);

  const regionAdmin = createRegionAdmin({ clientId: 'test', cluster: broker.cluster });
  await regionAdmin.deleteRecordsBefore(topics.rawOrders, new Map([[0, 1]]));
  await regionAdmin.close();
  await appendedAgain();

  await admin.deleteTopics([topics.rawOrders]);
  const again = { topic: topics.rawOrders, partitions: 1, replicationFactor: 1 };
  await vi.waitFor(async () => expect(await admin.createTopics([again])).toEqual([topics.rawOrders]), {
    timeout: 30_000,
    interval: 200,
  });
  await appendedAgain();
  await admin.close();
});
