// The menu of the simulated chain, and the local time and opening hours of its stores. Used by generator.ts and by the lab's runs.

import { readFileSync } from 'node:fs';
import { type Menu, type MenuStore, parseMenu } from '../../contracts/order/menu.ts';

/** The menu file of the simulated chain. */
export const chainMenuFile = new URL('./menu.json', import.meta.url);

let chain: Menu | undefined;

/** The simulated chain: 300 stores and what they sell. Each category lists its best sellers first. */
export function chainMenu(): Menu {
  chain ??= parseMenu(JSON.parse(readFileSync(chainMenuFile, 'utf8')));
  return chain;
}

const DAY_MINUTES = 24 * 60;
const formats = new Map<string, Intl.DateTimeFormat>();
const offsets = new Map<string, number>();

/** Minutes since local midnight at that store. */
export function localMinute({ timezone }: Pick<MenuStore, 'timezone'>, atMs: number): number {
  // Offsets change on quarter hours at the earliest, and formatting is slow: it is done once a zone and quarter hour.
  const quarter = Math.floor(atMs / 900_000);
  const key = `${timezone}/${quarter}`;
  let offset = offsets.get(key);
  if (offset === undefined) {
    if (offsets.size > 10_000) offsets.clear();
    offset = zoneOffset(timezone, quarter * 900_000);
    offsets.set(key, offset);
  }
  return (Math.floor(atMs / 60_000) + offset + DAY_MINUTES) % DAY_MINUTES;
}

function zoneOffset(timezone: string, atMs: number): number {
  let format = formats.get(timezone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-GB', { timeZone: timezone, hour: '2-digit', minute: '2-digit' });
    formats.set(timezone, format);
  }
  const local = minuteOfDay(format.format(atMs));
  return (local - (Math.floor(atMs / 60_000) % DAY_MINUTES) + DAY_MINUTES) % DAY_MINUTES;
}

/** Whether the store takes orders at that time: `closes` before `opens` is past midnight, equal is all day. */
export function isOpen(store: MenuStore, atMs: number): boolean {
  const [opens, closes, now] = [minuteOfDay(store.opens), minuteOfDay(store.closes), localMinute(store, atMs)];
  if (opens === closes) return true;
  return opens < closes ? now >= opens && now < closes : now >= opens || now < closes;
}

function minuteOfDay(time: string): number {
  return Number(time.slice(0, 2)) * 60 + Number(time.slice(3, 5));
}
