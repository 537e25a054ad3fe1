// Turns orders and samples into the figures of each round. Called by main.ts; knows no server.

import type { ShownOrder } from './load.ts';
import type { Sample, WatchedRole } from './sampler.ts';

/** A time in which one thing was done to the cloud. In milliseconds since 1970. */
export interface Round {
  name: string;
  from: number;
  to: number;
  /** Seconds after a case until everything it had held back was worked off; `null`: not in time. Absent for a quiet round. */
  drainedS?: number | null;
}

export interface RoundFigures extends Round {
  /** From 202 to the ticket on the kitchen display, of the orders that were accepted in this round. */
  p50Ms: number;
  p99Ms: number;
  tickets: number;
  /** In the round and in the drain after it. */
  bridgeLagMax: number;
  memoryMax: Partial<Record<WatchedRole, number>>;
}

/** `undefined` when no order that was accepted in the round became a ticket. */
export function figuresOf(
  round: Round,
  orders: readonly ShownOrder[],
  samples: readonly Sample[],
): RoundFigures | undefined {
  const within = (at: number) => at >= round.from && at < round.to;
  const latencies = orders.filter(({ acceptedAt }) => within(acceptedAt)).map(latencyOf);
  if (latencies.length === 0) return undefined;
  // The bridge goes on seconds after its service: what a fault costs peaks in the drain.
  const settledAt = round.to + (round.drainedS ?? 0) * 1_000;
  const seen = samples.filter(({ at }) => at >= round.from && at < settledAt);
  const memoryMax: RoundFigures['memoryMax'] = {};
  for (const { memory } of seen)
    for (const [role, bytes] of Object.entries(memory) as [WatchedRole, number][])
      memoryMax[role] = Math.max(memoryMax[role] ?? 0, bytes);
  return {
    ...round,
    p50Ms: quantile(latencies, 0.5),
    p99Ms: quantile(latencies, 0.99),
    tickets: latencies.length,
    bridgeLagMax: Math.max(0, ...seen.map(({ bridgeLag }) => bridgeLag)),
    memoryMax,
  };
}

/** A ticket can be on a screen before the sender has read its 202. */
export function latencyOf({ acceptedAt, shownAt }: ShownOrder): number {
  return Math.max(0, shownAt - acceptedAt);
}

/** The smallest value that this share of the values does not exceed. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

export interface LatencyPoint {
  /** The middle of its interval, in milliseconds since 1970. */
  at: number;
  p50Ms: number;
  p99Ms: number;
}

/** Latency over time, by intervals of that many milliseconds; intervals without an order are left out. */
export function latencySeries(orders: readonly ShownOrder[], intervalMs: number): LatencyPoint[] {
  const intervals = Map.groupBy(orders, ({ acceptedAt }) => Math.floor(acceptedAt / intervalMs));
  return [...intervals]
    .toSorted(([a], [b]) => a - b)
    .map(([interval, of]) => {
      const latencies = of.map(latencyOf);
      const at = (interval + 0.5) * intervalMs;
      return { at, p50Ms: quantile(latencies, 0.5), p99Ms: quantile(latencies, 0.99) };
    });
}
