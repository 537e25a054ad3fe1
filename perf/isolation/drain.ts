// Waits until the cloud has all that the mesh owed it at one moment. Called by main.ts after each fault.

import type { ConnectedConfig } from '../../contracts/config/config.ts';
import { groups } from '../../contracts/topics.ts';
import type { Admin } from '../../kafka/index.ts';
import { until } from '../../stack/system/index.ts';
import { endPositions, missingInLedger, missingInWarehouse, recordsBehind } from './backlog.ts';
import type { Load } from './load.ts';

/** Seconds until each had worked off what there was; `undefined` for one that had not in time. */
export interface Drain {
  bridge: number | undefined;
  warehouse: number | undefined;
  loyalty: number | undefined;
}

export interface DrainOptions {
  admin: Admin;
  config: ConnectedConfig;
  load: Load;
  /** Events of tickets that were seen before, in milliseconds since 1970, are not asked for: an earlier drain has. */
  sinceMs: number;
  /** How long it waits, in seconds. */
  secondsMax: number;
}

/**
 * Waits until everything that was there at the call is worked off, while new orders come: the bridge has committed every record, the
 * warehouse has every event, the ledger of the loyalty function every entry.
 */
export async function drain({ admin, config, load, sinceMs, secondsMax }: DrainOptions): Promise<Drain> {
  const startedAt = performance.now();
  const ends = await endPositions(admin);
  let rows = load.outgoing.filter(({ shownAt }) => shownAt >= sinceMs);
  let entries = rows;
  const drained: Drain = { bridge: undefined, warehouse: undefined, loyalty: undefined };
  const seconds = () => (performance.now() - startedAt) / 1_000;
  await until(secondsMax * 1_000, async () => {
    if (drained.bridge === undefined && (await recordsBehind(admin, groups.bridge, ends)) === 0)
      drained.bridge = seconds();
    if (drained.warehouse === undefined) {
      rows = await missingInWarehouse(config, rows);
      if (rows.length === 0) drained.warehouse = seconds();
    }
    if (drained.loyalty === undefined) {
      entries = await missingInLedger(config, entries);
      if (entries.length === 0) drained.loyalty = seconds();
    }
    return Object.values(drained).every((each) => each !== undefined);
  });
  return drained;
}

/** The time of the last of them, in seconds; `undefined` when one had not finished. */
export function drainedAfter(drained: Drain): number | undefined {
  const times = Object.values(drained) as (number | undefined)[];
  return times.some((each) => each === undefined) ? undefined : Math.max(...(times as number[]));
}
