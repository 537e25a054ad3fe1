import { Counter, Gauge } from 'prom-client';
import { type Config, ConfigError } from '../contracts/config.ts';
import { defaultAdminPort, type RunningRole } from '../contracts/roles.ts';
import { allTopics } from '../contracts/topics.ts';
import { createRegionAdmin } from '../kafka/region-admin.ts';
import { startAdminServer } from '../telemetry/admin-server.ts';
import type { Logger } from '../telemetry/logger.ts';
import { createProcessRegistry, metricsContentType } from '../telemetry/metrics.ts';
import { watchActivity } from './activity.ts';
import { findOrphans, salvageOrders, topicRanges } from './divergence.ts';
import { mirrorProperties } from './mirror-config.ts';
import { createMirrorOffsets, followMirrored, writeMirrored } from './mirror-offsets.ts';
import { type RegionState, readRegion, writeMirrorStarted, writeMirrorStopped, writeOrphans } from './region-state.ts';
import { replicationHealth, sourceFaults } from './replication-health.ts';

/** Starts a MirrorMaker with these properties. */
export type LaunchMirrorMaker = (properties: string, onExit: (reason: string) => void) => Promise<MirrorMaker>;

export interface MirrorMaker {
  /** Lets it write down how far it has come. */
  stop(): Promise<void>;
}

const RETRY_MS = 2_000;
const LOOK_MS = 2_000;

/**
 * The mirror of a region: copies the other region's log into this one while that one is the source, and says how far it is behind. Before it
 * copies a region that took over from this one, it notes the records that this one alone has, hands their orders over, and begins where that
 * one's own records begin: nothing is copied back, and no cluster is rebuilt.
 * @throws ConfigError when `ORDERMESH_PEER_BROKERS` is missing
 */
export async function startMirror(config: Config, logger: Logger, launch: LaunchMirrorMaker): Promise<RunningRole> {
  const { REGION: region, KAFKA_BROKERS: brokers, ORDERMESH_PEER_BROKERS: peer } = config;
  if (brokers === undefined || peer === undefined)
    throw new ConfigError(
      'the mirror needs KAFKA_BROKERS and ORDERMESH_PEER_BROKERS: host:port of the brokers of both regions',
    );
  const activity = watchActivity(config);
  if (activity === undefined) throw new ConfigError('ORDERMESH_PEER_BROKERS is not set');
  const replicationFactor = config.ORDERMESH_REPLICATION_FACTOR;

  const registry = createProcessRegistry('mirror');
  const registers = [registry];
  const runningGauge = new Gauge({
    name: 'ordermesh_mirror_running',
    help: 'Whether the other region is copied into this one now.',
    registers,
  });
  const lagGauge = new Gauge({
    name: 'ordermesh_mirror_lag_records',
    help: 'Records of the source that were not copied yet.',
    labelNames: ['topic', 'partition'],
    registers,
  });
  const faultGauge = new Gauge({
    name: 'ordermesh_mirror_source_faults',
    help: 'Partitions of the source whose records were truncated, recreated or skipped: MirrorMaker itself goes on without a word.',
    labelNames: ['fault'],
    registers,
  });
  const restartsCounter = new Counter({
    name: 'ordermesh_mirror_restarts_total',
    help: 'How often MirrorMaker ended unasked.',
    registers,
  });

  let mirror: MirrorMaker | undefined;
  let copied: Awaited<ReturnType<typeof followMirrored>> | undefined;
  let copiedSource: string | undefined;
  let begun: Readonly<Record<string, string>> = {};
  let closing = false;
  let turning: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;
  let told = '';

  const turn = async () => {
    const state = activity.state;
    if (closing || state === undefined) return;
    const source = state.source === region ? undefined : state.source;
    if (source !== copiedSource) await stop();
    if (source === undefined) await writeMirrorStopped(brokers, { epoch: state.epoch });
    else if (mirror === undefined) await start(source, state);
  };

  const start = async (source: string, state: RegionState) => {
    begun = await prepare(source, state);
    const from = { name: source, brokers: peer };
    const properties = mirrorProperties({ from, to: { name: region, brokers }, replicationFactor });
    mirror = await launch(properties, (reason) => {
      mirror = undefined;
      restartsCounter.inc();
      logger.error({ reason }, 'MirrorMaker ended; it is started again');
      timer = setTimeout(again, RETRY_MS);
    });
    copiedSource = source;
    copied ??= await followMirrored(brokers, source);
    runningGauge.set(1);
    logger.info({ source, epoch: state.epoch }, 'copying the other region');
  };

  const stop = async () => {
    const stopped = mirror;
    mirror = undefined;
    copiedSource = undefined;
    const followed = copied;
    copied = undefined;
    await followed?.close();
    runningGauge.set(0);
    lagGauge.reset();
    faultGauge.reset();
    if (stopped === undefined) return;
    await stopped.stop();
    logger.info({}, 'nothing is copied any more');
  };

  /** Once for each tenure of the other region. @returns the ids of its topics when its copying began */
  const prepare = async (source: string, state: RegionState) => {
    await createMirrorOffsets(brokers, source, replicationFactor);
    const { records } = await readRegion(brokers);
    if (records.mirrorStarted?.tenure === state.tenure) return records.mirrorStarted.topicIds;
    // A cluster that is new has nothing: everything is copied.
    const isNew = (await topicRanges(brokers)).every(({ latest }) => latest === 0);
    if (state.starts !== undefined && !isNew) {
      const orphans = await findOrphans({ own: { name: region, brokers }, peerBrokers: peer });
      if (!records.orphans.some(({ tenure }) => tenure === state.tenure))
        await writeOrphans(brokers, { tenure: state.tenure, ranges: orphans });
      const orders = await salvageOrders(brokers, peer, orphans);
      logger.info({ orders, partitions: orphans.length }, 'handed over what only this region had');
      await writeMirrored(brokers, source, state.starts);
    }
    const topicIds = Object.fromEntries(await idsOf(peer));
    await writeMirrorStarted(brokers, { tenure: state.tenure, topicIds });
    return topicIds;
  };

  const again = () => {
    turning = turning.then(turn).catch((error: Error) => {
      logger.error({ err: error }, 'the mirror cannot change over yet; trying again');
      if (!closing) timer = setTimeout(again, RETRY_MS);
    });
  };
  activity.onChange(again);

  const look = async () => {
    if (copied === undefined) return;
    // In this order: a busy source seems to be truncated otherwise.
    const mirrored = new Map([...copied.mirrored].map(([topic, partitions]) => [topic, new Map(partitions)]));
    const health = replicationHealth({
      mirrored,
      source: await topicRanges(peer),
      topicIds: { begun, now: await idsOf(peer) },
    });
    if (copied === undefined) return;
    for (const { topic, partition, lag } of health) lagGauge.set({ topic, partition: String(partition) }, lag);
    for (const fault of sourceFaults) faultGauge.set({ fault }, health.filter(({ state }) => state === fault).length);
    const faults = health.filter(({ state }) => state !== 'replicating');
    const alarm = faults.map(({ topic, partition, state }) => `${topic}/${partition} ${state}`).join(', ');
    if (alarm !== '' && alarm !== told)
      logger.error({ partitions: alarm }, 'records of the source are missing in this region');
    told = alarm;
  };
  let looking: Promise<void> = Promise.resolve();
  const watch = setInterval(() => {
    // A source that is away is seen by who watches it; here the next look tells.
    looking = looking.then(look).catch(() => {});
  }, LOOK_MS);

  const admin = await startAdminServer({
    host: config.ORDERMESH_HOST,
    port: config.ORDERMESH_ADMIN_PORT ?? defaultAdminPort('mirror'),
    metrics: async () => ({ contentType: metricsContentType, text: await registry.metrics() }),
    readiness: {
      mirror: () => {
        if (activity.state === undefined) return 'which region is active is not known yet';
        const wanted = activity.state.source !== undefined && activity.state.source !== region;
        return wanted && mirror === undefined ? 'MirrorMaker does not run' : undefined;
      },
    },
  });
  return {
    addresses: { admin: `http://${config.ORDERMESH_HOST}:${admin.port}` },
    async close() {
      closing = true;
      clearInterval(watch);
      clearTimeout(timer);
      await activity.close();
      await turning;
      await Promise.all([stop(), looking]);
      await admin.close();
    },
  };
}

async function idsOf(brokers: string[]): Promise<Map<string, string>> {
  const admin = createRegionAdmin({ clientId: 'ordermesh-mirror', brokers });
  try {
    return await admin.topicIds(allTopics);
  } finally {
    await admin.close();
  }
}
