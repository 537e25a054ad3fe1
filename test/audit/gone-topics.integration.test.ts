import { expect, test } from 'vitest';
import { readGoneTopics } from '../../audit/skipped.ts';
import { type ConnectedConfig, loadConfig } from '../../contracts/config/config.ts';
import { groups, topics } from '../../contracts/topics.ts';
import { enterLogs, noteProgress } from '../../store/partitions/partition-logs.ts';
import { createTestDatabase, kafkaEnvironment } from '../support/servers.ts';

test('a topic that was worked on and is gone is a fault, with what was unread in it', async () => {
  await using database = await createTestDatabase();
  const config = loadConfig({
    ...kafkaEnvironment(),
    DATABASE_URL: database.urlAs('operator'),
  }) as ConnectedConfig;
  const others = new Set<string>([topics.validatedOrders, topics.rejectedOrders]);
  // A new mesh: the topics come with its first start.
  expect(await readGoneTopics(config, new Set())).toEqual([]);
  const subscription = { group: groups.orderValidator, topic: topics.rawOrders };
  const seen = { logId: 'a', clusterId: 'c', earliest: 0, latest: 10 };
  await enterLogs(database.sql, subscription, [
    { partition: 0, ...seen },
    { partition: 1, ...seen },
  ]);
  await noteProgress(database.sql, subscription, [{ partition: 1, log: 0, position: 7, endOffset: 12 }]);
  expect(await readGoneTopics(config, new Set([...others, topics.rawOrders]))).toEqual([]);
  expect(await readGoneTopics(config, others)).toEqual([
    {
      kind: 'lost',
      subject: 'raw-orders',
      detail:
        'is gone although order-validator has worked on it; 15 of its records were unread when order-validator last looked',
    },
  ]);
});
