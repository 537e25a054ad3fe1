import type { Config } from '../../contracts/config.ts';
import { limits } from '../../contracts/limits.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { SlotLimits } from '../wire/slot-protocol.ts';
import type { PartitionLimits } from './partitions/assigned-partition.ts';

export interface RuntimeLimits {
  partition: PartitionLimits;
  slot: SlotLimits;
  fetchIntervalMs: number;
  commitIntervalMs: number;
  drainTimeoutMs: number;
  /** Dead letters that were replayed or discarded are forgotten after this time, in milliseconds. */
  deadLettersKeptMs: number;
}

export interface RuntimeOptions {
  /** Names client ids, database sessions and metrics. */
  role: string;
  logger: Logger;
  group: string;
  topic: string;
  brokers: string[];
  /** Undefined: no epochs and no durable parking, and an actor with `apply` is refused. */
  databaseUrl: string | undefined;
  /** `file:` URL of a module that exports `createActor`. */
  actorModule: URL;
  /** Handed to `createActor`; plain data. */
  settings: unknown;
  /** Threads. */
  slots: number;
  limits: RuntimeLimits;
  /** A member that is silent for longer is taken for dead by the group. */
  sessionTimeoutMs?: number;
  /** Most heap of one thread, in MiB: a thread past it dies and is replaced, and the process lives. */
  slotMemoryMbMax?: number;
  /** A thread whose event loop stands still for longer is ended and replaced, in milliseconds; 30 s by default. */
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
