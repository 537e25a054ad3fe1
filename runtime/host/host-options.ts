// What a role gives to the runtime, and how limits follow from the configuration.

import type { Config } from '../../contracts/config/config.ts';
import type { KafkaCluster } from '../../contracts/config/kafka-cluster.ts';
import { limits } from '../../contracts/limits.ts';
import type { DatabaseServer } from '../../store/index.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { SlotLimits } from '../wire/slot-protocol.ts';
import type { PartitionLimits } from './partitions/assigned-partition.ts';

export interface RuntimeLimits {
  partition: PartitionLimits;
  slot: SlotLimits;
  fetchIntervalMs: number;
  commitIntervalMs: number;
  drainTimeoutMs: number;
  /** Replayed and discarded dead letters are removed after this time. */
  deadLettersKeptMs: number;
}

export interface RuntimeOptions {
  /** Part of client ids, names of database sessions, and metrics. */
  role: string;
  logger: Logger;
  group: string;
  topic: string;
  cluster: KafkaCluster;
  /** Undefined: no epochs and no durable parking; an actor with `apply` is refused. */
  database: DatabaseServer | undefined;
  /** `file:` URL of a module that exports `createActor`. */
  actorModule: URL;
  /** Given to `createActor`; plain data. */
  settings: unknown;
  /** Number of threads. */
  slots: number;
  limits: RuntimeLimits;
  /** The group drops a member that is silent for longer. */
  sessionTimeoutMs?: number;
  /** Most heap of one thread, in MiB. A thread that needs more dies and is replaced; the process lives on. */
  slotMemoryMbMax?: number;
  /** A thread whose event loop stands still for longer is ended and replaced; 30 s by default. */
  slotSilenceMsMax?: number;
}

const OUTAGE_BACKOFF_MS = { first: 100, most: 5_000 };

export function runtimeLimits(config: Config): RuntimeLimits {
  return {
    partition: {
      messagesMax: config.ORDERMESH_MAILBOX_MESSAGES_MAX,
      bytesMax: config.ORDERMESH_MAILBOX_BYTES_MAX,
      windowMax: config.ORDERMESH_MAILBOX_MESSAGES_MAX * limits.frontierWindowFactor,
    },
    slot: {
      turnSizeMax: config.ORDERMESH_TURN_SIZE_MAX,
      turnsMax: limits.turnsMax,
      preparesMax: config.ORDERMESH_PREPARES_MAX,
      prepareMsMax: config.ORDERMESH_PREPARE_DEADLINE,
      retriesMax: limits.retriesMax,
      retryBackoffMs: config.ORDERMESH_RETRY_BACKOFF,
      outageBackoffMs: OUTAGE_BACKOFF_MS.first,
      outageBackoffMsMax: OUTAGE_BACKOFF_MS.most,
      produceDeadlineMs: config.ORDERMESH_PRODUCE_DEADLINE,
    },
    fetchIntervalMs: config.ORDERMESH_FETCH_INTERVAL,
    commitIntervalMs: config.ORDERMESH_COMMIT_INTERVAL,
    drainTimeoutMs: config.ORDERMESH_DRAIN_TIMEOUT,
    deadLettersKeptMs: config.ORDERMESH_DEAD_LETTERS_KEPT,
  };
}
