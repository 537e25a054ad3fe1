import { type Config, ConfigError } from '../contracts/config.ts';
import { defaultAdminPort, type RunningRole } from '../contracts/roles.ts';
import { startAdminServer } from '../telemetry/admin-server.ts';
import type { Logger } from '../telemetry/logger.ts';
import { createProcessRegistry, metricsContentType } from '../telemetry/metrics.ts';
import { StateLog } from '../telemetry/state-log.ts';
import { watchActivity } from './activity.ts';
import { topicRanges } from './divergence.ts';
import { mirrorProperties } from './mirror-config.ts';
import { MirrorMetrics } from './mirror-metrics.ts';
import { followMirrored } from './mirror-offsets.ts';
import { beginTenure, topicIdsOf } from './mirror-tenure.ts';
import { type RegionState, writeMirrorStopped } from './region-state.ts';
import { replicationHealth } from './replication-health.ts';

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
  const activity = watchActivity(config, logger);
  const states = new StateLog(logger);
  if (activity === undefined) throw new ConfigError('ORDERMESH_PEER_BROKERS is not set');
  const replicationFactor = config.ORDERMESH_REPLICATION_FACTOR;

  const registry = createProcessRegistry('mirror');
  const metrics = new MirrorMetrics(registry, () => activity.alone);

  let mirror: MirrorMaker | undefined;
  let copied: Awaited<ReturnType<typeof followMirrored>> | undefined;
  let copiedSource: string | undefined;
  let begun: Readonly<Record<string, string>> = {};
  let closing = false;
  let turning: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;
  let told = '';
  /** Why the last look failed. */
  let blind = '';

  const turn = async () => {
    const state = activity.state;
    if (closing || state === undefined) return;
    const source = state.source === region ? undefined : state.source;
    if (source !== copiedSource) await stop();
    if (source === undefined) await writeMirrorStopped(brokers, { epoch: state.epoch });
    else if (mirror === undefined) await start(source, state);
  };

  const start = async (source: string, state: RegionState) => {
    const [own, from] = [
      { name: region, brokers },
      { name: source, brokers: peer },
    ];
    begun = await beginTenure({ own, source: from, state, replicationFactor, logger });
    const properties = mirrorProperties({ from, to: own, replicationFactor });
    copiedSource = source;
    copied ??= await followMirrored(brokers, source, (trouble) => {
      if (trouble === undefined) states.end('followed', 'how far the mirror has copied is known again');
      else states.begin('followed', 'how far the mirror has copied is not known', { err: trouble });
    });
    mirror = await launch(properties, (reason) => {
      mirror = undefined;
      metrics.restarts.inc();
      logger.error({ reason }, 'MirrorMaker ended; it is started again');
      timer = setTimeout(again, RETRY_MS);
    });
    metrics.running.set(1);
    logger.info({ source, epoch: state.epoch }, 'copying the other region');
  };

  const stop = async () => {
    const stopped = mirror;
    mirror = undefined;
    copiedSource = undefined;
    const followed = copied;
    copied = undefined;
    await followed?.close();
    metrics.clear();
    if (stopped === undefined) return;
    await stopped.stop();
    logger.info({}, 'nothing is copied any more');
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
      topicIds: { begun, now: await topicIdsOf(peer) },
    });
    if (copied === undefined) return;
    metrics.show(health);
    const faults = health.filter(({ state }) => state !== 'replicating');
    const alarm = faults.map(({ topic, partition, state }) => `${topic}/${partition} ${state}`).join(', ');
    if (alarm !== '' && alarm !== told)
      logger.error({ partitions: alarm }, 'records of the source are missing in this region');
    told = alarm;
  };
  let looking: Promise<void> = Promise.resolve();
  const watch = setInterval(() => {
    looking = looking.then(look).then(
      () => {
        if (blind !== '') logger.info({}, 'the source can be looked at again');
        blind = '';
      },
      (error: Error) => {
        if (blind !== error.message)
          logger.warn({ reason: error.message }, 'cannot look how far the mirror is behind; trying again');
        blind = error.message;
      },
    );
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
