// Whether a store is open at an instant, in its own time zone. Called for each order by rules.ts.

import type { CatalogStore } from '../../store/index.ts';

const MINUTE_MS = 60_000;
const DAY_MINUTES = 24 * 60;
/** All offsets of time zones change at a multiple of 15 minutes of UTC, so an offset is valid for a slice of this length. */
const SLICE_MS = 15 * MINUTE_MS;
/** Clients choose `placedAt`, so the cache is bounded. */
const SLICES_MAX = 2_000;

interface Zone {
  format: Intl.DateTimeFormat;
  /** Offset from UTC in minutes, by slice of time. */
  offsets: Map<number, number>;
}

const zones = new Map<string, Zone>();

/** Whether the store is open at this moment. The opening minute is open, the closing minute is not. */
export function isOpen(store: Pick<CatalogStore, 'timezone' | 'opens' | 'closes'>, atMs: number): boolean {
  const { opens, closes } = store;
  if (opens === closes) return true;
  const minute = localMinute(store.timezone, atMs);
  return opens < closes ? minute >= opens && minute < closes : minute >= opens || minute < closes;
}

/** Minutes after local midnight, 0 to 1439. */
export function localMinute(timezone: string, atMs: number): number {
  const minute = Math.floor(atMs / MINUTE_MS) + offsetMinutes(timezone, atMs);
  return ((minute % DAY_MINUTES) + DAY_MINUTES) % DAY_MINUTES;
}

function offsetMinutes(timezone: string, atMs: number): number {
  let zone = zones.get(timezone);
  if (zone === undefined) {
    const format = new Intl.DateTimeFormat('en-US', {
      timeZone: timezone,
      hourCycle: 'h23',
      hour: 'numeric',
      minute: 'numeric',
    });
    zone = { format, offsets: new Map() };
    zones.set(timezone, zone);
  }
  const slice = Math.floor(atMs / SLICE_MS);
  let offset = zone.offsets.get(slice);
  if (offset === undefined) {
    if (zone.offsets.size >= SLICES_MAX) zone.offsets.clear();
    offset = measureOffset(zone.format, slice * SLICE_MS);
    zone.offsets.set(slice, offset);
  }
  return offset;
}

/** Modulo one day, because only the time of day matters. */
function measureOffset(format: Intl.DateTimeFormat, atMs: number): number {
  let local = 0;
  for (const { type, value } of format.formatToParts(atMs)) {
    if (type === 'hour') local += Number(value) * 60;
    if (type === 'minute') local += Number(value);
  }
  return local - (Math.floor(atMs / MINUTE_MS) % DAY_MINUTES);
}
