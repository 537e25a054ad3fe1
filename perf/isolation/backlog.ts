// What the bridge, the warehouse and the loyalty function have still to do. Asked by sampler.ts and drain.ts.

import { eventsInWarehouse } from '../../audit/index.ts';
import type { ConnectedConfig } from '../../contracts/config/config.ts';
import { type groups, topics } from '../../contracts/topics.ts';
import type { Admin } from '../../kafka/index.ts';
import { withDatabase } from '../../store/index.ts';
import type { Outgoing } from './load.ts';

/** Positions in `validated-orders` by partition. */
export type Positions = ReadonlyMap<number, number>;

/** An order is younger than its event by less than this, in milliseconds. */
const EVENT_OLDER_MS_MAX = 60_000;

/** Where the topic ends now. */
export async function endPositions(admin: Admin): Promise<Positions> {
  const ranges = await admin.offsets(topics.validatedOrders);
  return new Map(ranges.map(({ partition, latest }) => [partition, latest]));
}

/** Records before `ends` that a group has not committed. */
export async function recordsBehind(
  admin: Admin,
  group: typeof groups.bridge | typeof groups.kitchen,
  ends: Positions,
): Promise<number> {
  return behind(await admin.committedOffsets(group, topics.validatedOrders), ends);
}

/** A partition without a commit counts from its beginning: the topic is new in each run. */
export function behind(committed: Positions, ends: Positions): number {
  let records = 0;
  for (const [partition, end] of ends) records += Math.max(0, end - (committed.get(partition) ?? 0));
  return records;
}

/** Those of the events that are not in the warehouse, or all of them while it cannot be read. */
export async function missingInWarehouse(config: ConnectedConfig, events: readonly Outgoing[]): Promise<Outgoing[]> {
  const [first] = events;
  if (first === undefined) return [];
  const oldest = events.reduce((least, { shownAt }) => Math.min(least, shownAt), first.shownAt);
  const there = await eventsInWarehouse(config, oldest - EVENT_OLDER_MS_MAX);
  return there === undefined ? [...events] : events.filter(({ eventId }) => !there.ids.has(eventId));
}

/** Those of the events that earn points which the ledger does not have. */
export async function missingInLedger(config: ConnectedConfig, events: readonly Outgoing[]): Promise<Outgoing[]> {
  const earning = events.filter(({ earns }) => earns);
  if (earning.length === 0) return [];
  const ids = earning.map(({ eventId }) => eventId);
  const rows = await withDatabase(
    config,
    (sql) => sql<{ event_id: string }[]>`select event_id from loyalty_ledger where event_id = any(${ids}::text[])`,
  );
  const there = new Set(rows.map(({ event_id }) => event_id));
  return earning.filter(({ eventId }) => !there.has(eventId));
}
