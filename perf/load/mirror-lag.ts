import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { loadConfig } from '../../contracts/config/config.ts';
import { type KafkaCluster, plainCluster } from '../../contracts/config/kafka-cluster.ts';
import { topics } from '../../contracts/topics.ts';
import { applyTopics, createAdmin, createProducer, tailTopic } from '../../kafka/index.ts';
import { createTraffic } from '../../lab/traffic/index.ts';
import { mirrorProperties } from '../../region/index.ts';
import { answers, brokerCommand, choosePorts, Servers, startMirrorMaker, userCacheDir } from '../../stack/index.ts';

/**
 * How far MirrorMaker is behind, with the configuration of `ordermesh region mirror`, between two clusters of its own: orders come into the
 * first one at a rate, each as one record of `raw-orders` and three of `validated-orders`, and a reader waits in the other.
 *
 *   ORDERMESH_DATA_DIR=… node perf/load/mirror-lag.ts [--rate 2000] [--seconds 30]
 *
 * Prints one JSON line.
 */
export interface MirrorLag {
  /** Milliseconds from when a record was written in the one region until it was read in the other. */
  p50: number;
  p99: number;
  max: number;
  records: number;
}

const TICK_MS = 20;
const WARM_UP_S = 20;
const ARRIVAL_MS_MAX = 60_000;

const { values } = parseArgs({
  options: { rate: { type: 'string', default: '2000' }, seconds: { type: 'string', default: '30' } },
});
const [rate, seconds] = [Number(values.rate), Number(values.seconds)];
const config = loadConfig({ ...process.env, REGION: 'west' });
const directory = path.join(config.ORDERMESH_DATA_DIR, `mirror-lag-${process.pid}`);
await mkdir(directory, { recursive: true });
const servers = new Servers(directory, (name, reason) => {
  console.error(`${name}: ${reason}`);
  process.exit(1);
});
const ports = await choosePorts(['east', 'east-controller', 'west', 'west-controller'], {});
const [east, west] = await Promise.all([startCluster('east'), startCluster('west')]);
const mirror = await startMirrorMaker({
  config,
  directory,
  properties: mirrorProperties({ from: east, to: west, replicationFactor: 1 }),
  onExit: (reason) => {
    console.error(`MirrorMaker: ${reason}`);
    process.exit(1);
  },
});

const producer = await createProducer({ clientId: 'mirror-lag', cluster: east.cluster, deadlineMs: 30_000 });
const lags: number[] = [];
const onTrouble = (trouble: Error | undefined) => trouble !== undefined && console.error(trouble.message);
let counts = false;
let [written, arrived] = [0, 0];
const tails = await Promise.all(
  [topics.rawOrders, topics.validatedOrders].map((topic) =>
    tailTopic({ cluster: west.cluster, topic, from: 'earliest', onTrouble }, ({ timestamp }) => {
      arrived++;
      if (counts) lags.push(Date.now() - Number(timestamp));
    }),
  ),
);

await write(WARM_UP_S);
await everythingArrived();
counts = true;
await write(seconds);
await everythingArrived();
lags.sort((a, b) => a - b);
const at = (share: number) => lags[Math.min(lags.length - 1, Math.floor(lags.length * share))] ?? Number.NaN;
const lag: MirrorLag = { p50: at(0.5), p99: at(0.99), max: at(1), records: lags.length };
console.log(JSON.stringify(lag));

await Promise.all([producer.close(), mirror.stop(), ...tails.map((tail) => tail.close())]);
await servers.stopAll('SIGKILL');
process.exit();

async function startCluster(name: 'east' | 'west'): Promise<{ name: string; cluster: KafkaCluster }> {
  const own = path.join(directory, name);
  await mkdir(own);
  const [port = 0, controllerPort = 0] = [ports[name], ports[`${name}-controller`]];
  const cacheDir = await userCacheDir(config);
  const command = await brokerCommand({ name, directory: own, cacheDir, port, controllerPort });
  await servers.start(command, () => answers(port));
  const cluster = plainCluster([`127.0.0.1:${port}`]);
  const admin = await createAdmin({ clientId: 'mirror-lag', cluster });
  await applyTopics(admin, config).finally(() => admin.close());
  return { name, cluster };
}

/** Every order when it is due, however far the log is. */
async function write(forSeconds: number): Promise<void> {
  const traffic = createTraffic({ seed: 1 });
  const from = performance.now();
  let sent = 0;
  while (sent < rate * forSeconds) {
    await delay(TICK_MS);
    const elapsedS = Math.min(forSeconds, (performance.now() - from) / 1_000);
    for (; sent < Math.floor(elapsedS * rate); sent++) {
      const { body, orderId: key = randomUUID() } = traffic.order(Date.now());
      for (const topic of [topics.rawOrders, ...Array(3).fill(topics.validatedOrders)]) {
        written++;
        producer.append({ topic, key, value: body }, (error) => {
          if (error !== null) throw error;
        });
      }
    }
  }
}

async function everythingArrived(): Promise<void> {
  const until = performance.now() + ARRIVAL_MS_MAX;
  while (arrived < written) {
    if (performance.now() > until) throw new Error(`${written - arrived} of ${written} records did not come over`);
    await delay(TICK_MS);
  }
}
