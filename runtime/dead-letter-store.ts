import type { Database } from '../store/database.ts';
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
import type { MessageEntry } from './message-entry.ts';

/** The engine's dead letters in PostgreSQL. */
export function createDeadLetterStore(database: Database, subscription: Subscription): DeadLetterStore {
  return {
    record: (entry, { firstOffset, reason, error, attempts, firstFailedAt }) => {
      const { mailbox, partition, offset, key, keyBytes, value, headers, timestamp } = entry;
      const isFirst = offset === firstOffset;
      return recordDeadLetter(database, subscription, epochOf(mailbox), {
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
      });
    },
    due: (partitions) => keysInReplay(database, subscription, partitions),
    pace: ({ partition }, key) => paceReplay(database, subscription, { partition, key }),
    next: (mailbox, key) => nextOfReplay(database, subscription, owned(mailbox, key)),
    settle: ({ mailbox, key, offset }) => settleReplayed(database, subscription, owned(mailbox, key), offset),
    fail: ({ mailbox, partition, key }, parking) =>
      failReplayed(database, subscription, epochOf(mailbox), { partition, key, ...parking }),
  };
}

function owned(mailbox: Mailbox<MessageEntry>, key: string): OwnedKey {
  return { partition: mailbox.partition, epoch: epochOf(mailbox), key };
}

/** No epoch is -1: with a database every partition has one. */
function epochOf({ epoch }: Mailbox<MessageEntry>): number {
  return epoch ?? -1;
}
