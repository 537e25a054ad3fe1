import { loadConfig } from '../../contracts/config/config.ts';
import { clusterOf } from '../../contracts/config/kafka-cluster.ts';
import { runtimeLimits, startRuntime } from '../../runtime/index.ts';
import { createLogger } from '../../telemetry/logger.ts';
import type { MetricsSnapshot } from '../../telemetry/metrics.ts';
import { alternateClock, costRatio, type OnOff } from './alternating-clock.ts';

/**
 * The actor runtime draining a topic with an actor that does nothing, while the stage clock of each thread is on and off in turns.
 *
 *   KAFKA_BROKERS=… ORDERMESH_SLOTS=2 node perf/load/runtime-on-off.ts TOPIC MESSAGES
 *
 * Prints one JSON line: processor time of a message with the clock on / off.
 */
const [topic, wanted] = process.argv.slice(2);
if (topic === undefined || wanted === undefined) throw new Error('usage: runtime-on-off.ts TOPIC MESSAGES');

const config = loadConfig();
const runtime = await startRuntime({
  role: 'runtime-on-off',
  logger: createLogger('runtime-on-off', 'warn'),
  group: `runtime-on-off-${process.pid}-${Date.now()}`,
  topic,
  cluster: clusterOf(config),
  database: undefined,
  actorModule: new URL('./actors/noop-on-off.ts', import.meta.url),
  settings: null,
  slots: config.ORDERMESH_SLOTS,
  limits: runtimeLimits(config),
});
const sum = (field: 'next' | 'frontier') =>
  runtime.view().partitions.reduce((total, partition) => total + (partition[field] ?? 0), 0);
const main = alternateClock(20, () => sum('next'));

const watch = setInterval(async () => {
  if (sum('frontier') < Number(wanted)) return;
  clearInterval(watch);
  const slots = (await runtime.metrics()).flatMap(slotsIn);
  console.log(JSON.stringify({ ratio: costRatio([main(), ...slots]), main: main(), slots }));
  process.exit();
}, 10);

function slotsIn(snapshot: MetricsSnapshot): OnOff[] {
  const spent: OnOff = { on: { cpuMs: 0, messages: 0 }, off: { cpuMs: 0, messages: 0 } };
  const values = snapshot.find(({ name }) => name === 'perf_on_off')?.values;
  for (const { labels, value } of values ?? [])
    spent[labels.side as keyof OnOff][labels.what as 'cpuMs' | 'messages'] = value;
  return values === undefined ? [] : [spent];
}
