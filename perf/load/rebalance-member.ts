import { loadConfig } from '../../contracts/config/config.ts';
import { clusterOf } from '../../contracts/config/kafka-cluster.ts';
import { runtimeLimits, startRuntime } from '../../runtime/index.ts';
import { databaseOf } from '../../store/index.ts';
import { createLogger } from '../../telemetry/logger.ts';

/**
 * One process of a group. Tells its parent, over IPC, each time a partition's frontier has moved, and leaves on SIGTERM.
 *
 *   KAFKA_BROKERS=… DATABASE_URL=… node perf/load/rebalance-member.ts TOPIC GROUP [ACTOR] [SETTINGS]
 */
const [topic, group, actor = 'noop', settings = 'null'] = process.argv.slice(2);
if (topic === undefined || group === undefined) throw new Error('usage: rebalance-member.ts TOPIC GROUP');

/** Messages below `frontier` are finished. Milliseconds since 1970. */
export interface FrontierMoved {
  partition: number;
  frontier: number;
  at: number;
}

const config = loadConfig();
const runtime = await startRuntime({
  role: 'rebalance-member',
  logger: createLogger('rebalance-member', 'error'),
  group,
  topic,
  cluster: clusterOf(config),
  database: databaseOf(config),
  actorModule: new URL(`./actors/${actor}.ts`, import.meta.url),
  settings: JSON.parse(settings),
  slots: config.ORDERMESH_SLOTS,
  limits: runtimeLimits(config),
});
const frontiers = new Map<number, number>();
const watch = setInterval(() => {
  const at = Date.now();
  for (const { partition, frontier } of runtime.view().partitions) {
    if (frontier === null || frontier === frontiers.get(partition)) continue;
    frontiers.set(partition, frontier);
    process.send?.({ partition, frontier, at } satisfies FrontierMoved);
  }
}, 10);
process.once('SIGTERM', async () => {
  await runtime.close();
  clearInterval(watch);
  process.exit();
});
