// The same work on the actor runtime. Started by perf/peers/same-work/peers.ts.

import { loadConfig } from '../../../../contracts/config/config.ts';
import { plainCluster } from '../../../../contracts/config/kafka-cluster.ts';
import { runtimeLimits, startRuntime } from '../../../../runtime/index.ts';
import { databaseOf } from '../../../../store/index.ts';
import { createLogger } from '../../../../telemetry/logger.ts';
import { workOfArguments } from '../work.ts';
import { packageVersion, Stopwatch } from './stopwatch.ts';

/**
 * The role needs DATABASE_URL: an actor with outputs runs each turn in a transaction that proves that the partition is still its own.
 * Slots and bounds come from the environment, as in a worker process.
 */
const work = workOfArguments();
const config = loadConfig();
const runtime = await startRuntime({
  role: 'same-work',
  logger: createLogger('same-work', 'warn'),
  group: `same-work-${process.pid}-${Date.now()}`,
  topic: work.from,
  cluster: plainCluster(work.brokers.split(',')),
  database: databaseOf(config),
  actorModule: new URL('./ordermesh-actor.ts', import.meta.url),
  settings: { to: work.to, totalLimit: work.totalLimit },
  slots: config.ORDERMESH_SLOTS,
  limits: runtimeLimits(config),
});

const stopwatch = new Stopwatch(work.records, packageVersion('..'));
let acknowledged = 0;
setInterval(() => {
  let taken = 0;
  let finished = 0;
  // The topic is read from its beginning, offset 0. What the frontier has passed is acknowledged.
  for (const { next, frontier } of runtime.view().partitions) {
    taken += next ?? 0;
    finished += frontier ?? 0;
  }
  if (taken > 0) stopwatch.begin();
  stopwatch.acknowledged(finished - acknowledged);
  acknowledged = finished;
}, 5);
