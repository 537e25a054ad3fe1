import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createPubSub, googleCloudAddress, googleCloudNames } from '../bridge/pubsub/index.ts';
import { type ConnectedConfig, loadConfig } from '../contracts/config/config.ts';
import { secretVariable } from '../contracts/config/secret.ts';
import type { Order } from '../contracts/order/order.ts';
import { programOptions, refuseOption } from '../contracts/program-options.ts';
import { chainMenuFile, createTraffic } from '../lab/traffic/index.ts';
import { startSystem } from '../stack/system/index.ts';
import { createLogger } from '../telemetry/logger.ts';
import { benchBacklogMemory } from './benches/backlog-memory.ts';
import type { Bench } from './benches/bench.ts';
import { benchBridge } from './benches/bridge.ts';
import { benchEdge } from './benches/edge.ts';
import { benchGateway } from './benches/gateway.ts';
import { benchGrpc } from './benches/grpc.ts';
import { benchMirror } from './benches/mirror.ts';
import { benchOverload } from './benches/overload.ts';
import { benchPayment } from './benches/payment.ts';
import { benchPeers } from './benches/peers.ts';
import { benchPipeline } from './benches/pipeline.ts';
import { benchProfiling } from './benches/profiling.ts';
import { benchRebalance } from './benches/rebalance.ts';
import { benchParallelConsumer, benchRuntime } from './benches/runtime.ts';
import { benchStageClock } from './benches/stage-clock.ts';
import { benchSustained } from './benches/sustained.ts';
import { benchTicketLatency } from './benches/ticket-latency.ts';
import { benchValidator } from './benches/validator.ts';
import { benchWebSocket } from './benches/websocket.ts';
import { runCommand } from './child.ts';
import { createReport, type Details, type Figures, table } from './report.ts';
import { sweepRuntime } from './sweeps/runtime-sweeps.ts';
import { fullScale, quickScale } from './sweeps/scales.ts';
import type { Sweep, Sweeps } from './sweeps/sweep.ts';
import { writeReport } from './write-report.ts';

/**
 * Measures the figures of the product beside their baselines, on servers of its own in a directory of its own.
 *
 *   node perf/main.ts            a quick run
 *   node perf/main.ts --full     more rounds, longer
 *   node perf/main.ts --only gateway,runtime
 *   node perf/main.ts --full --only backlog-memory,rebalance --backlog 1000000
 */
/** What a quick run measures, and what only a full run does, unless it is named. */
const quick = ['sustained', 'ticket-latency', 'pipeline', 'validator', 'bridge', 'runtime', 'gateway', 'sweeps'];
const long = [
  'parallel-consumer',
  'websocket',
  'overload',
  'payment',
  'peers',
  'stage-clock',
  'grpc',
  'edge',
  'mirror',
  'profiling',
  'rebalance',
  'backlog-memory',
];

const { values } = programOptions('perf', {
  options: {
    full: { type: 'boolean', default: false },
    only: { type: 'string' },
    backlog: { type: 'string', default: '5000000' },
  },
});
const only = values.only?.split(',');
for (const name of only ?? [])
  if (![...quick, ...long].includes(name))
    refuseOption('perf', `--only names ${JSON.stringify(name)}; it takes some of ${[...quick, ...long].join(', ')}`);
if (!/^[1-9]\d*$/.test(values.backlog))
  refuseOption('perf', `--backlog is ${JSON.stringify(values.backlog)}; it takes a number of messages`);
const measured = (name: string) => only?.includes(name) ?? (values.full || quick.includes(name));
const scale = values.full
  ? { seconds: 10, rounds: 7, messages: 1_000_000 }
  : { seconds: 3, rounds: 3, messages: 300_000 };
const overloadSeconds = values.full ? 60 : 3;
const sustainedScale = values.full
  ? { warmUpSeconds: 60, seconds: 6, rounds: 10 }
  : { warmUpSeconds: 40, seconds: 5, rounds: 3 };

const dataDir = await mkdtemp(path.join(tmpdir(), 'ordermesh-perf-'));
process.env.ORDERMESH_DATA_DIR = dataDir;
// With emulators the libraries need not ask Google's metadata server for an identity.
process.env.METADATA_SERVER_DETECTION = 'none';
const config = loadConfig();
const logger = createLogger('perf', 'warn');
const say = (line: string) => console.error(line);

const figures: Figures = {};
const sweeps: Sweeps = {};
const details: Details = { sweeps };
let flames: Record<string, string> = {};
const run = async (name: string, measure: () => Promise<Figures>) => {
  if (!measured(name)) return;
  say(`measuring ${name} …`);
  const startedAt = performance.now();
  Object.assign(figures, await measure());
  say(`measured ${name} in ${Math.round((performance.now() - startedAt) / 1_000)} s`);
};
try {
  // What other programs have written goes to the disk now, and not while we measure.
  await runCommand('sync', []);
  await run('sustained', async () => {
    const sustained = await benchSustained(sustainedScale, dataDir);
    Object.assign(details, { costs: sustained.costs, pipeline: sustained.rates });
    flames = sustained.flames;
    return sustained.figures;
  });
  const system = await startSystem(config, logger, say, { menuFile: chainMenuFile });
  try {
    const bench: Bench = { env: environmentOf(system.config), sampleOrder, onSweep, ...scale };
    const addresses = Object.fromEntries(system.addresses);
    await run('ticket-latency', () =>
      benchTicketLatency(bench, { gateway: addresses.gateway ?? '', display: addresses['kitchen display'] ?? '' }),
    );
    await run('pipeline', () => benchPipeline(bench));
    // From here on every program has the machine for itself.
    await Promise.all(system.roles.map((role) => role.stop()));
    if (system.googleCloud) await endPushes(system.config);
    await run('validator', () => benchValidator(bench));
    await run('payment', () => benchPayment(bench));
    if (system.googleCloud) await run('bridge', () => benchBridge(bench));
    else say('bridge_vs_bare_publish is left out: there is no Pub/Sub here');
    await run('runtime', () => benchRuntime(bench));
    await run('parallel-consumer', () => benchParallelConsumer(bench));
    await run('gateway', () => benchGateway(bench));
    await run('websocket', () => benchWebSocket(bench));
    await run('overload', () => benchOverload(bench, overloadSeconds));
    await run('peers', () => benchPeers(bench));
    await run('sweeps', async () => {
      await sweepRuntime(bench, values.full ? fullScale : quickScale);
      return {};
    });
    await run('stage-clock', () => benchStageClock(bench));
    await run('grpc', () => benchGrpc(bench));
    await run('edge', () => benchEdge(bench, scale.messages));
    await run('mirror', () => benchMirror(bench));
    await run('profiling', () => benchProfiling(bench));
    await run('rebalance', () => benchRebalance(bench));
    await run('backlog-memory', () => benchBacklogMemory(bench, Number(values.backlog)));
  } finally {
    await system.close();
  }
  const report = createReport(figures, details);
  await writeReport(report, new URL('./report/', import.meta.url), flames);
  console.log(table(report));
} finally {
  await rm(dataDir, { recursive: true, force: true });
}

/** The emulator pushes again and again to a function that isn't there any more: more than half a core, for as long as it has messages. */
async function endPushes(connected: ConnectedConfig): Promise<void> {
  const pubSub = createPubSub(googleCloudAddress(connected));
  await pubSub.subscription(googleCloudNames.loyaltySubscription).modifyPushConfig({});
  await pubSub.close();
}

function onSweep(name: string, sweep: Sweep): void {
  sweeps[name] = sweep;
}

function sampleOrder(): Order {
  return JSON.parse(createTraffic({ seed: 1 }).order(Date.now()).body) as Order;
}

/** What child programs need to find the same servers. */
function environmentOf(connected: ConnectedConfig): Record<string, string> {
  const { DATABASE_URL, GOOGLE_CLOUD_PROJECT, PUBSUB_EMULATOR_HOST, BIGQUERY_EMULATOR_HOST } = connected;
  return {
    KAFKA_BROKERS: connected.KAFKA_BROKERS.join(','),
    ...secretVariable('DATABASE_URL', DATABASE_URL),
    GOOGLE_CLOUD_PROJECT,
    ...(PUBSUB_EMULATOR_HOST === undefined ? {} : { PUBSUB_EMULATOR_HOST }),
    ...(BIGQUERY_EMULATOR_HOST === undefined ? {} : { BIGQUERY_EMULATOR_HOST }),
    ORDERMESH_DATA_DIR: dataDir,
  };
}
