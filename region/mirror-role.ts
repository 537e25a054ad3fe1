// The mirror role: runs MirrorMaker and watches it. Started by the command `ordermesh region mirror`.

import { type Config, ConfigError } from '../contracts/config/config.ts';
import { clusterOf, peerClusterOf } from '../contracts/config/kafka-cluster.ts';
import type { RunningRole } from '../contracts/roles.ts';
import { registerRefusals } from '../kafka/index.ts';
import { openAdminPort } from '../telemetry/admin-port.ts';
import type { Logger } from '../telemetry/logger.ts';
import { createProcessRegistry } from '../telemetry/metrics.ts';
import { StateLog, timeOfDay } from '../telemetry/state-log.ts';
import { watchActivity } from './activity.ts';
import { topicRanges } from './divergence.ts';
import { mirrorProperties } from './mirror-config.ts';
import { MirrorMetrics } from './mirror-metrics.ts';
import { followMirrored, type Mirrored, readMirrored } from './mirror-offsets.ts';
import { beginTenure, topicIdsOf } from './mirror-tenure.ts';
import { type RegionState, writeMirrorStopped } from './region-state.ts';
import { type PartitionHealth, replicationHealth } from './replication-health.ts';
import { Standstill } from './standstill.ts';

/** Starts a MirrorMaker with these properties. */
export type LaunchMirrorMaker = (properties: string, onExit: (reason: string) => void) => Promise<MirrorMaker>;

export interface MirrorMaker {
  /** Gives it time to write its progress, then ends it. */
  stop(): Promise<void>;
}

const RETRY_MS = 2_000;
const LOOK_MS = 2_000;
/** A MirrorMaker that has nothing to copy counts as started after this long. */
const STEADY_MS = 30_000;

/**
 * The mirror of a region: copies the other region's log into this one while that one is the source, and says how far it is behind. Before it
 * copies a region that took over from this one, it notes the records that this region alone has, sends their orders to the other
 * region, and begins where the other region's own records begin: nothing is copied back, and no cluster is rebuilt.
 * @throws ConfigError when `ORDERMESH_PEER_BROKERS` is missing
 */
export async function startMirror(
  config: Config,
  logger: Logger,
  launch: LaunchMirrorMaker,
  standstill = new Standstill(),
): Promise<RunningRole> {
  const { REGION: region } = config;
  if (config.KAFKA_BROKERS === undefined || config.ORDERMESH_PEER_BROKERS === undefined)
    throw new ConfigError(
      'the mirror needs KAFKA_BROKERS and ORDERMESH_PEER_BROKERS: host:port of the brokers of both regions',
    );
  const cluster = clusterOf(config);
  const peer = peerClusterOf(config);
  const activity = watchActivity(config, logger);
  const states = new StateLog(logger);
  if (activity === undefined || peer === undefined) throw new ConfigError('ORDERMESH_PEER_BROKERS is not set');
  const replicationFactor = config.ORDERMESH_REPLICATION_FACTOR;

  const registry = createProcessRegistry('mirror');
  registerRefusals(registry);
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
  let startedAt = 0;
  /** Why MirrorMaker ended, or could not be started. */
  let failure = '';
  /** Records that wait, as of the last look. */
  let waiting = 0;
  let restarting = false;

  const turn = async () => {
    const state = activity.state;
    if (closing || state === undefined) return;
    const source = state.source === region ? undefined : state.source;
    if (source !== copiedSource) await stop();
    if (source === undefined) await writeMirrorStopped(cluster, { epoch: state.epoch });
    else if (mirror === undefined) await start(source, state);
  };

  const start = async (source: string, state: RegionState) => {
    const [own, from] = [
      { name: region, cluster },
      { name: source, cluster: peer },
    ];
    begun = await beginTenure({ own, source: from, state, replicationFactor, logger });
    const properties = mirrorProperties({ from, to: own, replicationFactor });
    copiedSource = source;
    copied ??= await followMirrored(cluster, source, (trouble) => {
      if (trouble === undefined) states.end('followed', 'how far the mirror has copied is known again');
      else states.begin('followed', 'how far the mirror has copied is not known', { err: trouble });
    });
    const copiedBefore = positionOf(await readMirrored(cluster, source));
    let hasEnded = false;
    const launched = await launch(properties, (reason) => {
      hasEnded = true;
      mirror = undefined;
      failure = reason;
      metrics.running.set(0);
      metrics.restarts.inc();
      states.begin('ended', 'MirrorMaker ended; it is started again until it copies', { reason });
      if (!closing) timer = setTimeout(again, RETRY_MS);
    });
    // It may have ended during the launch.
    if (hasEnded) return;
    mirror = launched;
    startedAt = Date.now();
    standstill.started(copiedBefore);
    metrics.running.set(1);
    if (states.since('ended') === undefined && states.since('stands') === undefined)
      logger.info({ source, epoch: state.epoch }, 'copying the other region');
  };

  /** Ends a MirrorMaker that lives and copies nothing, and starts another one. */
  const restart = async () => {
    const stopped = mirror;
    restarting = false;
    if (closing || stopped === undefined) return;
    mirror = undefined;
    metrics.running.set(0);
    metrics.restarts.inc();
    await stopped.stop();
    await turn();
  };

  const judge = (health: readonly PartitionHealth[], mirrored: Mirrored) => {
    // A partition with a fault at its source has an alarm of its own, in `look`.
    const sound = health.filter(({ state }) => state === 'replicating');
    waiting = sound.reduce((sum, { lag }) => sum + lag, 0);
    const verdict = standstill.look({ lag: waiting, position: positionOf(mirrored) });
    const since = timeOfDay(standstill.since);
    if (verdict === 'stands' && mirror !== undefined) {
      metrics.standing.set(1);
      states.begin('stands', `MirrorMaker has copied nothing since ${since}; it is started again until it does`, {
        records: waiting,
      });
      if (!restarting) change(restart);
      restarting = true;
    }
    if (verdict === 'copied' || waiting === 0) {
      metrics.standing.set(0);
      states.end('stands', 'MirrorMaker copies again');
    }
    const isSteady = mirror !== undefined && waiting === 0 && Date.now() - startedAt > STEADY_MS;
    if (verdict === 'copied' || isSteady) states.end('ended', 'MirrorMaker copies again');
  };

  const stop = async () => {
    const stopped = mirror;
    mirror = undefined;
    copiedSource = undefined;
    const followed = copied;
    copied = undefined;
    await followed?.close();
    metrics.clear();
    for (const key of ['stands', 'ended']) states.end(key, 'nothing is to be copied any more');
    if (stopped === undefined) return;
    await stopped.stop();
    logger.info({}, 'nothing is copied any more');
  };

  const change = (work: () => Promise<void>) => {
    turning = turning.then(work).then(
      () => {
        if (states.since('ended') === undefined) failure = '';
        states.end('changes', 'the mirror has changed over');
      },
      (error: Error) => {
        failure = error.message;
        states.begin('changes', 'the mirror cannot change over yet; trying again', { err: error });
        if (!closing) timer = setTimeout(again, RETRY_MS);
      },
    );
  };
  const again = () => change(turn);
  activity.onChange(again);

  const look = async () => {
    if (copied === undefined) return;
    // Progress is copied before the source is read: otherwise a busy source seems to be truncated.
    const mirrored = new Map([...copied.mirrored].map(([topic, partitions]) => [topic, new Map(partitions)]));
    const health = replicationHealth({
      mirrored,
      source: await topicRanges(peer),
      topicIds: { begun, now: await topicIdsOf(peer) },
    });
    if (copied === undefined) return;
    metrics.show(health);
    if (states.since('followed') === undefined) judge(health, mirrored);
    else standstill.blind();
    const faults = health.filter(({ state }) => state !== 'replicating');
    const alarm = faults.map(({ topic, partition, state }) => `${topic}/${partition} ${state}`).join(', ');
    if (alarm !== '' && alarm !== told)
      logger.error({ partitions: alarm }, 'records of the source are missing in this region');
    told = alarm;
  };
  const looks = lookRegularly(look, {
    seen() {
      if (blind !== '') logger.info({}, 'the source can be looked at again');
      blind = '';
    },
    failed({ message }) {
      standstill.blind();
      if (blind !== message) logger.warn({ reason: message }, 'cannot look how far the mirror is behind; trying again');
      blind = message;
    },
  });

  const problem = () => {
    if (activity.state === undefined) return 'which region is active is not known yet';
    const wanted = activity.state.source !== undefined && activity.state.source !== region;
    if (!wanted) return undefined;
    if (mirror === undefined) return `MirrorMaker does not run${failure === '' ? '' : `: ${failure}`}`;
    const endedAt = states.since('ended');
    if (endedAt !== undefined)
      return `MirrorMaker ended at ${timeOfDay(endedAt)} (${failure}) and has copied nothing since`;
    const standsAt = states.since('stands');
    return standsAt === undefined
      ? undefined
      : `MirrorMaker was found standing at ${timeOfDay(standsAt)} and has copied nothing since; ${waiting} records wait`;
  };

  const admin = await openAdminPort('mirror', config, { metrics: registry, readiness: { mirror: problem } });
  return {
    addresses: { admin: admin.url },
    async close() {
      closing = true;
      looks.stop();
      clearTimeout(timer);
      await activity.close();
      await turning;
      await Promise.all([stop(), looks.last()]);
      await admin.close();
    },
  };
}

/** Looks every two seconds until it is stopped, one look at a time: a cluster that does not answer can hold a look up for a minute. */
function lookRegularly(look: () => Promise<void>, { seen, failed }: { seen(): void; failed(error: Error): void }) {
  let last: Promise<void> = Promise.resolve();
  let isLooking = false;
  const timer = setInterval(() => {
    if (isLooking) return;
    isLooking = true;
    last = look()
      .finally(() => {
        isLooking = false;
      })
      .then(seen, failed);
  }, LOOK_MS);
  return {
    stop: () => clearInterval(timer),
    /** Settles when the last look is over; never rejects. */
    last: () => last,
  };
}

/** Grows with every record that is copied. */
function positionOf(mirrored: Mirrored): number {
  let position = 0;
  for (const partitions of mirrored.values()) for (const next of partitions.values()) position += next;
  return position;
}
