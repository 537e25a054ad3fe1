import { parseArgs } from 'node:util';
import { loadConfig } from '../../contracts/config/config.ts';
import { clusterOf } from '../../contracts/config/kafka-cluster.ts';
import { runtimeLimits, startRuntime } from '../../runtime/index.ts';
import { createLogger } from '../../telemetry/logger.ts';

/**
 * The actor runtime draining a topic from its beginning with one of the actors beside this file. Slots and bounds come from the
 * environment, as in a worker process.
 *
 *   KAFKA_BROKERS=… ORDERMESH_SLOTS=2 node perf/load/runtime-throughput.ts TOPIC MESSAGES [--actor noop|async|cpu] [--settings JSON]
 *
 * Prints one JSON line: messages per second from the first batch to the last.
 */
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    actor: { type: 'string', default: 'noop' },
    settings: { type: 'string', default: 'null' },
  },
});
const [topic, wanted] = positionals;
if (topic === undefined || wanted === undefined) throw new Error('usage: runtime-throughput.ts TOPIC MESSAGES');

const config = loadConfig();
const runtime = await startRuntime({
  role: 'runtime-throughput',
  logger: createLogger('runtime-throughput', 'warn'),
  group: `runtime-throughput-${process.pid}-${Date.now()}`,
  topic,
  cluster: clusterOf(config),
  database: undefined,
  actorModule: new URL(`./actors/${values.actor}.ts`, import.meta.url),
  settings: JSON.parse(values.settings),
  slots: config.ORDERMESH_SLOTS,
  limits: runtimeLimits(config),
});

let startedAt: number | undefined;
const watch = setInterval(() => {
  let taken = 0;
  let finished = 0;
  // The topic is read from its beginning, offset 0.
  for (const { next, frontier } of runtime.view().partitions) {
    taken += next ?? 0;
    finished += frontier ?? 0;
  }
  if (taken > 0) startedAt ??= performance.now();
  if (finished < Number(wanted)) return;
  clearInterval(watch);
  const seconds = (performance.now() - (startedAt ?? 0)) / 1_000;
  console.log(JSON.stringify({ messagesPerSecond: Math.round(finished / seconds) }));
  process.exit();
}, 5);
