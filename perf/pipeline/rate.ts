// What the whole mesh carries, over time. Made of readings; drawn by ../page/.

import { median } from '../rounds.ts';
import type { Reading } from './readings.ts';

export interface RateAt {
  /** Since the first order. */
  atSeconds: number;
  perSecond: number;
  /** Whether it counts. */
  isWarm: boolean;
}

/** Within this share of the sustained rate the mesh is warm. */
const WARM_SHARE = 0.95;

export function ratesOf(warmUp: readonly Reading[], readings: readonly Reading[]): RateAt[] {
  const startMs = warmUp[0]?.atMs ?? 0;
  return [...between(warmUp, false), ...between(readings, true)].map(({ atMs, ...rate }) => ({
    atSeconds: (atMs - startMs) / 1_000,
    ...rate,
  }));
}

function between(readings: readonly Reading[], isWarm: boolean) {
  return readings.slice(1).map((to, index) => {
    const from = readings[index] as Reading;
    return { atMs: to.atMs, perSecond: rateBetween(from, to), isWarm };
  });
}

export function rateBetween(from: Reading, to: Reading): number {
  return ((to.tickets - from.tickets) / (to.atMs - from.atMs)) * 1_000;
}

/** Seconds of load until the rate is first near what is sustained later. */
export function warmAfterSeconds(rates: readonly RateAt[]): number {
  const sustained = median(rates.filter(({ isWarm }) => isWarm).map(({ perSecond }) => perSecond));
  const first = rates.findIndex(({ perSecond }) => perSecond >= WARM_SHARE * sustained);
  // The rate of a step is near already: the mesh was warm when the step began.
  return rates[first - 1]?.atSeconds ?? 0;
}
