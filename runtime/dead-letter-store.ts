import type { BoundedPool } from '../store/bounded-pool.ts';
import { recordDeadLetter } from '../store/dead-letters.ts';
import type { Subscription } from '../store/epochs.ts';
import {
  failReplayed,
  keysInReplay,
  nextOfReplay,
  type OwnedKey,
  paceReplay,
  settleReplayed,
} from '../store/replays.ts';
import type { DeadLetterStore } from './engine-ports.ts';
import type { Mailbox } from './mailbox.ts';
import type { MessageEntry, Replay } from './message-entry.ts';

/** The engine's dead letters in PostgreSQL. */
export function createDeadLetterStore(pool: BoundedPool, subscription: Subscription): DeadLetterStore {
  return {
    record: (entry, { firstOffset, reason, error, attempts, firstFailedAt, applied }) => {
      const { mailbox, partition, offset, key, keyBytes, value, headers, timestamp } = entry;
      const isFirst = offset === firstOffset;
      const letter = {
        partition,
        offset,
        key,
        keyBytes,
        value,
        headers,
        timestamp,
        behind: isFirst ? null : firstOffset,
        reason,
        error,
        attempts: isFirst ? attempts : 0,
        firstFailedAt,
        applied: isFirst && applied,
      };
      return pool.call((database) => recordDeadLetter(database, subscription, epochOf(mailbox), letter));
    },
    due: (partitions) => pool.call((database) => keysInReplay(database, subscription, partitions)),
    pace: ({ partition }, key) => pool.call((database) => paceReplay(database, subscription, { partition, key })),
    next: (mailbox, key) => pool.call((database) => nextOfReplay(database, subscription, owned(mailbox, key))),
    settle: ({ mailbox, key, offset }) =>
      pool.call((database) => settleReplayed(database, subscription, owned(mailbox, key), offset)),
    fail: ({ mailbox, partition, key, replay }, parking) =>
      pool.call((database) =>
        failReplayed(database, subscription, epochOf(mailbox), { partition, key, ...parking }, actOf(replay)),
      ),
  };
}

function owned(mailbox: Mailbox<MessageEntry>, key: string): OwnedKey {
  return { partition: mailbox.partition, epoch: epochOf(mailbox), key };
}

/** No act is -1: what fails in a replay has been handed out by one. */
function actOf(replay: Replay | undefined): number {
  return typeof replay === 'object' ? replay.act : -1;
}

/** No epoch is -1: with a database every partition has one. */
function epochOf({ epoch }: Mailbox<MessageEntry>): number {
  return epoch ?? -1;
}
