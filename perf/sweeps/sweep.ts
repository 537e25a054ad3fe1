// A figure at several settings, as the report has it. Made by the sweeps beside this file, drawn by ../page/.

import { interleave, median } from '../rounds.ts';
import type { ScalabilityLaw } from './scalability-law.ts';

export interface SweepPoint {
  /** The setting. */
  x: number;
  rounds: readonly number[];
}

export interface Sweep {
  title: string;
  /** What is set, for the horizontal axis. */
  x: string;
  unit: string;
  /** How it was measured. */
  versus: string;
  series: { name: string; points: readonly SweepPoint[] }[];
  /** Fitted to the first series. */
  law?: ScalabilityLaw;
}

export type Sweeps = Record<string, Sweep>;

export function middleOf({ rounds }: SweepPoint): number {
  return median(rounds);
}

/** Measures all settings once, then all of them again, so that drift of the machine meets each. */
export async function measurePoints(
  rounds: number,
  settings: readonly number[],
  measure: (x: number) => Promise<number>,
): Promise<SweepPoint[]> {
  const results = await interleave(
    rounds,
    Object.fromEntries(settings.map((x) => [String(x), () => measure(x)])) as Record<string, () => Promise<number>>,
  );
  return settings.map((x) => ({ x, rounds: results[String(x)] ?? [] }));
}
