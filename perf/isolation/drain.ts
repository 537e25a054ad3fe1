// Waits until the cloud has all that the mesh owed it at one moment. Called by main.ts after each fault.

import type { ConnectedConfig } from '../../contracts/config/config.ts';
import { groups } from '../../contracts/topics.ts';
import type { Admin } from '../../kafka/index.ts';
import { until } from '../../stack/system/index.ts';
import { endPositions, missingInLedger, missingInWarehouse, recordsBehind } from './backlog.ts';
import type { Load } from './load.ts';

export type DrainPart = 'bridge' | 'warehouse' | 'loyalty';

/** How each part has worked off what there was. */
export type Drain = Record<DrainPart, PartDrain>;

interface PartDrain {
  /** Records, events or entries that are not there yet. */
  left: number;
  /** When nothing was left, in seconds from the begin of the drain; `undefined` when that did not come in time. */
  seconds: number | undefined;
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
  const leftOf: Record<DrainPart, () => Promise<number>> = {
    bridge: () => recordsBehind(admin, groups.bridge, ends),
    async warehouse() {
      rows = await missingInWarehouse(config, rows);
      return rows.length;
    },
    async loyalty() {
      entries = await missingInLedger(config, entries);
      return entries.length;
    },
  };
  const unknown = { left: Number.NaN, seconds: undefined };
  const drained: Drain = { bridge: unknown, warehouse: unknown, loyalty: unknown };
  await until(secondsMax * 1_000, async () => {
    for (const part of Object.keys(leftOf) as DrainPart[]) {
      if (drained[part].seconds !== undefined) continue;
      const left = await leftOf[part]();
      drained[part] = { left, seconds: left === 0 ? (performance.now() - startedAt) / 1_000 : undefined };
    }
    return drainedAfter(drained) !== undefined;
  });
  return drained;
}

/** The time of the last of them, in seconds; `undefined` when one had not finished. */
export function drainedAfter(drained: Drain): number | undefined {
  const times = Object.values(drained).map(({ seconds }) => seconds);
  return times.includes(undefined) ? undefined : Math.max(...(times as number[]));
}

/** What is left to do, in words; empty when nothing is. */
export function leftText(drained: Drain): string {
  return Object.entries(drained)
    .filter(([, { seconds }]) => seconds === undefined)
    .map(([part, { left }]) => `${part} lacks ${left}`)
    .join(', ');
}
