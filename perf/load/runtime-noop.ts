import { loadConfig } from '../../contracts/config.ts';
import { startRuntime } from '../../runtime/host.ts';
import { runtimeLimits } from '../../runtime/host-options.ts';
import { createLogger } from '../../telemetry/logger.ts';

/**
 * The actor runtime with an actor that only decodes, to be held against `perf/limits/runtime-loop.ts`.
 *
 *   KAFKA_BROKERS=… node perf/load/runtime-noop.ts TOPIC MESSAGES [THREADS]
 *
 * Prints one JSON line: messages per second from the first batch to the last.
 */
const [topic, wanted, threads = '2'] = process.argv.slice(2);
if (topic === undefined || wanted === undefined) throw new Error('usage: runtime-noop.ts TOPIC MESSAGES [THREADS]');

const runtime = await startRuntime({
  role: 'runtime-noop',
  logger: createLogger('runtime-noop', 'warn'),
  group: `runtime-noop-${process.pid}-${Date.now()}`,
  topic,
  brokers: (process.env.KAFKA_BROKERS ?? '').split(','),
  databaseUrl: undefined,
  actorModule: new URL('./runtime-noop-actor.ts', import.meta.url),
  settings: undefined,
  slots: Number(threads),
  limits: runtimeLimits(loadConfig({})),
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
}, 2);
