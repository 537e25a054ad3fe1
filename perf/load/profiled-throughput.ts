import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { loadConfig } from '../../contracts/config/config.ts';
import { clusterOf } from '../../contracts/config/kafka-cluster.ts';
import { runtimeLimits, startRuntime } from '../../runtime/index.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { profileThreads } from '../../telemetry/profiling/profile.ts';

/**
 * The actor runtime draining a topic from its beginning with an actor that checks orders. Its threads are sampled in every second window,
 * so that one run has both sides, on the same threads and the same compiled code.
 *
 *   KAFKA_BROKERS=… ORDERMESH_SLOTS=2 node perf/load/profiled-throughput.ts TOPIC MESSAGES [--window SECONDS] [--first on|off]
 *
 * Prints one JSON line: messages per second, and processor time for each message, of each pair of windows; and the processor time that the
 * start and the end of a profile take together, in milliseconds, for all threads.
 */
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { window: { type: 'string', default: '2' }, first: { type: 'string', default: 'off' } },
});
const [topic, messages] = positionals;
if (topic === undefined || messages === undefined) throw new Error('usage: profiled-throughput.ts TOPIC MESSAGES');
const windowS = Number(values.window);
/** By then the start of a profile is over. */
const SETTLE_S = 0.5;
const WARM_UP_S = 4;

const config = loadConfig();
const runtime = await startRuntime({
  role: 'profiled-throughput',
  logger: createLogger('profiled-throughput', 'warn'),
  group: `profiled-throughput-${process.pid}-${Date.now()}`,
  topic,
  cluster: clusterOf(config),
  database: undefined,
  actorModule: new URL('./actors/order.ts', import.meta.url),
  settings: null,
  slots: config.ORDERMESH_SLOTS,
  limits: runtimeLimits(config),
});

/** Messages that are finished; the topic is read from its beginning, offset 0. */
function finished(): number {
  let sum = 0;
  for (const { frontier } of runtime.view().partitions) sum += frontier ?? 0;
  return sum;
}

interface Window {
  messagesPerSecond: number;
  microsecondsPerMessage: number;
}

/** Messages and processor time of a window. */
async function measured(): Promise<Window> {
  const [startedAt, from, cpu] = [performance.now(), finished(), process.cpuUsage()];
  await delay(windowS * 1_000);
  const [endedAt, to, spent] = [performance.now(), finished(), process.cpuUsage(cpu)];
  return {
    messagesPerSecond: ((to - from) / (endedAt - startedAt)) * 1_000,
    microsecondsPerMessage: (spent.user + spent.system) / (to - from),
  };
}

/** While all threads are sampled. A profile costs most at its start and at its end, which are measured apart. */
async function sampled(): Promise<Window> {
  const profile = profileThreads(windowS + 2 * SETTLE_S);
  await delay(SETTLE_S * 1_000);
  const window = await measured();
  await profile;
  return window;
}

const sides = { on: sampled, off: measured };
const order = values.first === 'on' ? (['on', 'off'] as const) : (['off', 'on'] as const);
const pairs: Record<'on' | 'off', Window>[] = [];
while (finished() === 0) await delay(5);
// Compilers are busiest at first.
await delay(WARM_UP_S * 1_000);
for (;;) {
  const pair = {} as Record<'on' | 'off', Window>;
  for (const side of order) {
    pair[side] = await sides[side]();
    await delay(SETTLE_S * 1_000);
  }
  // The window in which the topic ends has less to do.
  if (finished() >= Number(messages)) break;
  pairs.push(pair);
}
const before = process.cpuUsage();
await profileThreads(SETTLE_S);
const { user, system } = process.cpuUsage(before);
console.log(JSON.stringify({ pairs, startAndEndMs: (user + system) / 1_000 }));
process.exit();
