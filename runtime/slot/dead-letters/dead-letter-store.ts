import {
  type BoundedPool,
  failReplayed,
  keysInReplay,
  nextOfReplay,
  paceReplay,
  recordDeadLetter,
  type Subscription,
  settleReplayed,
} from '../../../store/index.ts';
import type { DeadLetterStore } from '../engine-ports.ts';

/** The engine's dead letters in PostgreSQL. `slot-thread.ts` creates it; `KeyParking` and `KeyReplays` call it. */
export function createDeadLetterStore(pool: BoundedPool, subscription: Subscription): DeadLetterStore {
  return {
    record: ({ epoch }, letter) => pool.call((database) => recordDeadLetter(database, subscription, epoch, letter)),
    due: (partitions) => pool.call((database) => keysInReplay(database, subscription, partitions)),
    pace: (owned) => pool.call((database) => paceReplay(database, subscription, owned)),
    next: (owned) => pool.call((database) => nextOfReplay(database, subscription, owned)),
    settle: (owned, { offset, log }) =>
      pool.call((database) => settleReplayed(database, subscription, owned, offset, log)),
    fail: ({ partition, epoch, key }, parking, act) =>
      pool.call((database) => failReplayed(database, subscription, epoch, { partition, key, ...parking }, act)),
  };
}
