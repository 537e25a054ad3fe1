import { loadConfig } from '../../../contracts/config/config.ts';
import { clusterOf } from '../../../contracts/config/kafka-cluster.ts';
import { runtimeLimits, startRuntime } from '../../../runtime/index.ts';
import { createLogger } from '../../../telemetry/logger.ts';
import type { MetricsSnapshot } from '../../../telemetry/metrics.ts';
import { AlternatingClock, type OnOff, together } from './alternating-clock.ts';

/**
 * The actor runtime draining a topic with an actor that does nothing, while the stage clock of each thread is on and off in turns.
 *
 *   KAFKA_BROKERS=… ORDERMESH_SLOTS=2 node perf/load/on-off/runtime-on-off.ts TOPIC MESSAGES
 *
 * Prints one JSON line: processor time of a message with the clock on / off, and the part that its looks and ends must cost.
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
  actorModule: new URL('./noop-on-off.ts', import.meta.url),
  settings: null,
  slots: config.ORDERMESH_SLOTS,
  limits: runtimeLimits(config),
});
const sum = (field: 'next' | 'frontier') =>
  runtime.view().partitions.reduce((total, partition) => total + (partition[field] ?? 0), 0);
const main = new AlternatingClock(20_000);
const look = () => {
  main.look(sum('next'));
  if (sum('frontier') < Number(wanted)) setTimeout(look, 5);
  else void finish();
};
look();

async function finish(): Promise<void> {
  const slots = (await runtime.metrics()).flatMap(slotIn);
  // A message passes the main thread and one of the slots.
  const threads = { main: main.result(), slot: meanOf(slots) };
  console.log(JSON.stringify({ ...together([threads.main, threads.slot]), ...threads }));
  process.exit();
}

function slotIn(snapshot: MetricsSnapshot): OnOff[] {
  const values = snapshot.find(({ name }) => name === 'perf_on_off')?.values;
  return values === undefined
    ? []
    : [Object.fromEntries(values.map(({ labels, value }) => [labels.what, value])) as unknown as OnOff];
}

function meanOf(slots: readonly OnOff[]): OnOff {
  const mean = (read: (slot: OnOff) => number) => slots.reduce((total, slot) => total + read(slot), 0) / slots.length;
  return {
    onUs: mean(({ onUs }) => onUs),
    offUs: mean(({ offUs }) => offUs),
    slices: mean(({ slices }) => slices),
    looks: mean(({ looks }) => looks),
    ends: mean(({ ends }) => ends),
    countedUs: mean(({ countedUs }) => countedUs),
  };
}
