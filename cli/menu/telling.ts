// Tells gateways and restaurants what has changed in menus. Used by the commands of `ordermesh menu`.

import type { ConnectedConfig } from '../../contracts/config/config.ts';
import { clusterOf } from '../../contracts/config/kafka-cluster.ts';
import { announceMenus } from '../../gateway/menus/announce.ts';
import { createProducer } from '../../kafka/index.ts';
import { type Database, readMenuStates } from '../../store/index.ts';

const SOURCE = '/ordermesh/cli';

/** Writes the events of one store, or of all. @throws when Kafka does not take them */
export async function tellMenus(config: ConnectedConfig, sql: Database, storeId?: string): Promise<void> {
  const producer = await createProducer({
    clientId: 'ordermesh-cli',
    cluster: clusterOf(config),
    deadlineMs: config.ORDERMESH_PRODUCE_DEADLINE,
  });
  try {
    await announceMenus({ read: () => readMenuStates(sql, storeId), producer, source: SOURCE });
  } finally {
    await producer.close();
  }
}
