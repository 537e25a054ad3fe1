import { loadConfig } from '../../contracts/config/config.ts';
import { clusterOf } from '../../contracts/config/kafka-cluster.ts';
import { runtimeLimits, startRuntime } from '../../runtime/index.ts';
import { databaseOf } from '../../store/index.ts';
import { createLogger } from '../../telemetry/logger.ts';

/**
 * How much memory a worker takes in front of a backlog and a slow store.
 *
 *   KAFKA_BROKERS=… DATABASE_URL=… node perf/load/runtime-memory.ts TOPIC TURN_SECONDS SECONDS
 *
 * Prints one JSON line: the largest resident set, all threads included, and how many messages were finished and still waiting.
 */
const [topic, turnSeconds, seconds] = process.argv.slice(2);
if (topic === undefined || turnSeconds === undefined || seconds === undefined)
  throw new Error('usage: runtime-memory.ts TOPIC TURN_SECONDS SECONDS');

export interface MemoryUse {
  residentBytesMax: number;
  finished: number;
  lag: number;
}

const config = loadConfig();
const runtime = await startRuntime({
  role: 'runtime-memory',
  logger: createLogger('runtime-memory', 'error'),
  group: `runtime-memory-${process.pid}-${Date.now()}`,
  topic,
  cluster: clusterOf(config),
  database: databaseOf(config),
  actorModule: new URL('./actors/slow-store.ts', import.meta.url),
  settings: { turnSeconds: Number(turnSeconds) },
  slots: config.ORDERMESH_SLOTS,
  limits: runtimeLimits(config),
});
let residentBytesMax = 0;
setInterval(() => {
  residentBytesMax = Math.max(residentBytesMax, process.memoryUsage.rss());
}, 50);
setTimeout(() => {
  const { partitions } = runtime.view();
  const total = (value: (partition: (typeof partitions)[number]) => number | null) =>
    partitions.reduce((sum, partition) => sum + (value(partition) ?? 0), 0);
  const use: MemoryUse = {
    residentBytesMax,
    finished: total(({ frontier }) => frontier),
    lag: total(({ lag }) => lag),
  };
  console.log(JSON.stringify(use));
  process.exit();
}, Number(seconds) * 1_000);
