import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../contracts/config/config.ts';
import { clusterOf, type KafkaCluster, peerClusterOf } from '../contracts/config/kafka-cluster.ts';
import { pause } from '../contracts/deadline.ts';
import { regionStateTopic } from '../contracts/topics.ts';
import { type Tail, tailTopic } from '../kafka/index.ts';
import type { Logger } from '../telemetry/logger.ts';
import { note, noteState, type RegionRecords, type RegionState, readRegion } from './region-state.ts';

/** Whether this region may take orders and work on them. */
export interface Activity {
  /** `undefined` while this region is the active one, else the reason in a few words, fit to be shown to a client. */
  passive(): string | undefined;
  /** The other region has not answered yet, so this region relies on its own cluster and may be wrong about who is active. */
  readonly alone: boolean;
  /** The newest state that either cluster told. */
  readonly state: RegionState | undefined;
  /** Called after every change of the state; at once where it is known already. */
  onChange(listener: () => void): void;
  close(): Promise<void>;
}

const RETRY_MS = 1_000;
/** A region that comes back asks the other one who is active, and decides alone when there is no answer by then. */
const PEER_WAIT_MS = 5_000;

/**
 * Follows `region-state` of this cluster and of the peer's; of what they say the highest epoch holds. So a region that was away learns from
 * the other one that it is no longer the active one, before it takes an order. Until its own cluster has told, a region is passive.
 * @returns `undefined` where there is one region only
 */
export function watchActivity(config: Config, logger: Logger): Activity | undefined {
  const { REGION: region } = config;
  const peer = peerClusterOf(config);
  if (peer === undefined) return undefined;
  const own = clusterOf(config);
  const known: Pick<RegionRecords, 'state'> = {};
  const heard = { own: false, peer: false };
  let alone = false;
  const listeners: (() => void)[] = [];
  const stop = new AbortController();
  let toldEpoch: number | undefined;
  const passive = () => {
    const { state } = known;
    if (!heard.own || !heard.peer || state === undefined) return notRead;
    if (state.active === region) return undefined;
    return state.active === undefined
      ? `no region is active just now (epoch ${state.epoch})`
      : `region ${state.active} is the active one (epoch ${state.epoch})`;
  };
  const changed = () => {
    const now = heard.own && heard.peer ? known.state?.epoch : undefined;
    if (now === toldEpoch) return;
    toldEpoch = now;
    for (const listener of listeners) listener();
  };
  const hear = (cluster: 'own' | 'peer') => {
    heard[cluster] = true;
    changed();
  };
  const learn = (state: RegionState | undefined) => {
    if (state !== undefined) noteState(known, state);
    changed();
  };
  const following = [
    follow(own, { learn, heard: () => hear('own'), logger, name: 'own' }, stop.signal),
    follow(
      peer,
      {
        learn,
        heard() {
          if (alone) logger.info({ state: known.state }, 'the other region answers');
          alone = false;
          hear('peer');
        },
        logger,
        name: 'other',
      },
      stop.signal,
    ),
  ];
  delay(PEER_WAIT_MS, undefined, { signal: stop.signal, ref: false }).then(
    () => {
      if (heard.peer) return;
      alone = true;
      logger.warn(
        { peer: peer.brokers, state: known.state },
        `the other region does not answer within ${PEER_WAIT_MS / 1_000} s: this one goes by its own log until it does, and may be wrong about who is active`,
      );
      hear('peer');
    },
    // Closed before that.
    () => {},
  );
  return {
    passive,
    get alone() {
      return alone;
    },
    get state() {
      return known.state;
    },
    onChange(listener) {
      listeners.push(listener);
      if (toldEpoch !== undefined) listener();
    },
    async close() {
      stop.abort();
      await Promise.all(following);
    },
  };
}

const notRead = 'which region is active is not known yet';

interface Follower {
  learn(state: RegionState | undefined): void;
  /** The cluster has told what it knows. */
  heard(): void;
  logger: Logger;
  /** For the log. */
  name: 'own' | 'other';
}

/** Reads the topic to its end, then tails it. A cluster that is away is asked again for as long as it takes. */
async function follow(
  cluster: KafkaCluster,
  { learn, heard, logger, name }: Follower,
  signal: AbortSignal,
): Promise<void> {
  let told = '';
  let tail: Tail | undefined;
  while (tail === undefined && !signal.aborted) {
    try {
      const { records, next } = await readRegion(cluster);
      learn(records.state);
      heard();
      const onTrouble = (trouble: Error | undefined) => {
        if (trouble !== undefined)
          logger.warn({ cluster: name, reason: trouble.message }, 'cannot follow who is active; trying again');
        else logger.info({ cluster: name }, 'who is active is followed again');
      };
      const options = { cluster, topic: regionStateTopic, clientId: 'ordermesh-region', onTrouble };
      tail = await tailTopic({ ...options, from: 'earliest', fromOffsets: new Map([[0, next]]) }, (record) => {
        const news: RegionRecords = { orphans: [] };
        note(news, record);
        learn(news.state);
      });
    } catch (error) {
      const reason = (error as Error).message;
      if (reason !== told) logger.warn({ cluster: name, reason }, 'cannot read who is active; trying again');
      told = reason;
      await pause(RETRY_MS, signal);
    }
  }
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve));
  await tail?.close();
}
