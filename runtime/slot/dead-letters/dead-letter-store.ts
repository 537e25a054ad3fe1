import type { BoundedPool, Subscription } from '../../../store/index.ts';
import {
  failReplayed,
  keysInReplay,
  nextOfReplay,
  type OwnedKey,
  paceReplay,
  recordDeadLetter,
  settleReplayed,
} from '../../../store/index.ts';
import type { DeadLetterStore } from '../engine-ports.ts';
import type { Mailbox } from '../mailbox.ts';
import type { MessageEntry, Replay } from '../message-entry.ts';
import { isFirst } from './dead-letter.ts';

/** The engine's dead letters in PostgreSQL. */
export function createDeadLetterStore(pool: BoundedPool, subscription: Subscription): DeadLetterStore {
  return {
    record: (entry, parking) => {
      const { mailbox, partition, offset, log, identity, key, keyBytes, value, headers, timestamp } = entry;
      const { firstOffset, reason, error, attempts, firstFailedAt, applied } = parking;
      const first = isFirst(entry, parking);
      const letter = {
        partition,
        offset,
        log,
        identity,
        key,
        keyBytes,
        value,
        headers,
        timestamp,
        behind: first ? null : firstOffset,
        reason,
        error,
        attempts: first ? attempts : 0,
        firstFailedAt,
        applied: first && applied,
      };
      return pool.call((database) => recordDeadLetter(database, subscription, epochOf(mailbox), letter));
    },
    due: (partitions) => pool.call((database) => keysInReplay(database, subscription, partitions)),
    pace: ({ partition }, key) => pool.call((database) => paceReplay(database, subscription, { partition, key })),
    next: (mailbox, key) => pool.call((database) => nextOfReplay(database, subscription, owned(mailbox, key))),
    settle: ({ mailbox, key, offset, log }) =>
      pool.call((database) => settleReplayed(database, subscription, owned(mailbox, key), offset, log)),
    fail: ({ mailbox, partition, key, replay }, parking) =>
      pool.call((database) =>
        failReplayed(database, subscription, epochOf(mailbox), { partition, key, ...parking }, actOf(replay)),
      ),
  };
}

function owned(mailbox: Mailbox<MessageEntry>, key: string): OwnedKey {
  return { partition: mailbox.partition, epoch: epochOf(mailbox), key, log: mailbox.log };
}

/** No act is -1: what fails in a replay has been handed out by one. */
function actOf(replay: Replay | undefined): number {
  return typeof replay === 'object' ? replay.act : -1;
}

/** No epoch is -1: with a database every partition has one. */
function epochOf({ epoch }: Mailbox<MessageEntry>): number {
  return epoch ?? -1;
}
