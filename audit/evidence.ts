import type { WarehouseEvents } from '../bridge/warehouse/index.ts';
import type { DeadLetterFate, OrderEffects } from '../store/index.ts';
import type { Fault } from './fault.ts';
import type { SkippedRecords } from './skipped.ts';
import type { TrailBook } from './trail.ts';

/*
 * What the audit judges. `readEvidence` reads it from the mesh, and tests write it by hand.
 */

/** Committed positions by partition; a partition without a commit is absent, and nothing of it is due yet. */
export type Frontier = ReadonlyMap<number, number>;

/** What the database says. It is read after the topics, so it may know more than they do, never less. */
export interface Effects {
  of(orderId: string): Pick<OrderEffects, 'decision' | 'payment' | 'charges' | 'ticket'> | undefined;
  /** What the database alone proves wrong, for example stock that does not add up. */
  faults: readonly Fault[];
}

export interface Evidence {
  book: TrailBook;
  /** Read before the topics: what is below a frontier must have left its outcome in what was read afterwards. */
  frontiers: Record<'orderValidator' | 'payment' | 'kitchen' | 'bridge', Frontier>;
  effects: Effects;
  /** What operators did to dead letters; a dead letter that is not listed waits. */
  deadLetters?: readonly DeadLetterFate[];
  /** Ids that were answered 202, as the sender noted them. */
  promised?: Iterable<string>;
  /** Only orders first placed at or after this time count, in milliseconds since 1970. */
  sinceMs?: number;
  /** Events in the warehouse; undefined where it was not asked. */
  warehouse: WarehouseEvents | undefined;
  /** Records that were removed before a group came to them. */
  skipped?: readonly SkippedRecords[];
  /** Sources that were not there or could not be asked, each with the reason. */
  notAsked?: readonly string[];
}
