// Judges the rounds: is the kitchen isolated, has everything drained, is memory flat? Called by main.ts; knows no server.

import { median } from '../rounds.ts';
import type { RoundFigures } from './measure.ts';
import { QUIET } from './plan.ts';
import type { WatchedRole } from './sampler.ts';

/** The kitchen's 99th percentile during a case may be this many times that of the quiet rounds. */
export const BAR = 1.15;

/** `rounds disagree`: they differ from the figure by more than the figure does from the bar, so it proves nothing. */
export type Isolation = 'within' | 'over' | 'rounds disagree';

export interface CaseFigures {
  /** Medians over the rounds of the case. */
  kitchenP99Ms: number;
  /** The most of all its rounds. */
  bridgeLagMax: number;
  /** The longest of all its rounds; `null` when something was not worked off in time. */
  drainedS: number | null;
  /** `kitchenP99Ms` over that of the quiet rounds. */
  versusQuiet: number;
  /** How far the ratio of a round to the quiet round before it lies from `versusQuiet` at most. */
  roundsDiffer: number;
  isolation: Isolation;
}

export interface Figures {
  quiet: { kitchenP99Ms: number };
  cases: Record<string, CaseFigures>;
  memory: Partial<Record<WatchedRole, MemoryFigures>>;
}

/** @param rounds in their order; each case round follows a quiet one */
export function summarize(rounds: readonly RoundFigures[]): Figures {
  const quiet = rounds.filter(({ name }) => name === QUIET);
  const quietP99Ms = median(quiet.map(({ p99Ms }) => p99Ms));
  const names = [...new Set(rounds.map(({ name }) => name))].filter((name) => name !== QUIET);
  return {
    quiet: { kitchenP99Ms: quietP99Ms },
    cases: Object.fromEntries(names.map((name) => [name, caseFigures(name, rounds, quietP99Ms)])),
    memory: memoryFigures(rounds),
  };
}

function caseFigures(name: string, rounds: readonly RoundFigures[], quietP99Ms: number): CaseFigures {
  const own = rounds.filter((round) => round.name === name);
  const kitchenP99Ms = median(own.map(({ p99Ms }) => p99Ms));
  const versusQuiet = kitchenP99Ms / quietP99Ms;
  const pairs = rounds.flatMap((round, index) =>
    round.name === name ? [round.p99Ms / (rounds[index - 1]?.p99Ms ?? Number.NaN)] : [],
  );
  const roundsDiffer = Math.max(...pairs.map((ratio) => Math.abs(ratio - versusQuiet)));
  const drains = own.map(({ drainedS }) => drainedS ?? null);
  return {
    kitchenP99Ms,
    bridgeLagMax: Math.max(...own.map(({ bridgeLagMax }) => bridgeLagMax)),
    drainedS: drains.includes(null) ? null : Math.max(...(drains as number[])),
    versusQuiet,
    roundsDiffer,
    isolation: isolationOf(versusQuiet, roundsDiffer),
  };
}

export function isolationOf(versusQuiet: number, roundsDiffer: number): Isolation {
  if (roundsDiffer > Math.abs(versusQuiet - BAR)) return 'rounds disagree';
  return versusQuiet <= BAR ? 'within' : 'over';
}

export interface MemoryFigures {
  /** Peaks of resident memory in the first and in the last third of the run, in bytes. */
  firstBytes: number;
  lastBytes: number;
  grew: boolean;
}

/** A heap that is collected late may stand this much higher by chance. */
const MEMORY_FACTOR_MAX = 1.3;
const MEMORY_BYTES_MAX = 64 * 1024 * 1024;

/** Whether the last third of the rounds took clearly more memory than the first: what a role had gathered in a fault is given back after it. */
function memoryFigures(rounds: readonly RoundFigures[]): Figures['memory'] {
  const third = Math.max(1, Math.floor(rounds.length / 3));
  const peak = (some: readonly RoundFigures[], role: WatchedRole) =>
    Math.max(0, ...some.map(({ memoryMax }) => memoryMax[role] ?? 0));
  const roles = new Set(rounds.flatMap(({ memoryMax }) => Object.keys(memoryMax) as WatchedRole[]));
  return Object.fromEntries(
    [...roles].map((role) => {
      const firstBytes = peak(rounds.slice(0, third), role);
      const lastBytes = peak(rounds.slice(-third), role);
      const grew = lastBytes > firstBytes * MEMORY_FACTOR_MAX && lastBytes > firstBytes + MEMORY_BYTES_MAX;
      return [role, { firstBytes, lastBytes, grew }];
    }),
  );
}

/** Why the run fails, or says nothing, in words; without the audit's own findings. */
export interface Shortfalls {
  failures: string[];
  /** What this run cannot tell. */
  open: string[];
}

export function shortfallsOf({ cases, memory }: Figures): Shortfalls {
  const failures: string[] = [];
  const open: string[] = [];
  for (const [name, { isolation, versusQuiet, roundsDiffer, drainedS }] of Object.entries(cases)) {
    const figure = `${name}: the kitchen's p99 is ${versusQuiet.toFixed(2)} times that of the quiet rounds`;
    if (isolation === 'over') failures.push(`${figure}; at most ${BAR} is isolated`);
    if (isolation === 'rounds disagree')
      open.push(
        `${figure}, and the rounds differ by ${roundsDiffer.toFixed(2)}: that is neither within ${BAR} nor over`,
      );
    if (drainedS === null) failures.push(`${name}: what it held back was not worked off in time`);
  }
  for (const [role, { grew, firstBytes, lastBytes }] of Object.entries(memory))
    if (grew) failures.push(`${role}: memory grew from ${mebibytes(firstBytes)} to ${mebibytes(lastBytes)}`);
  return { failures, open };
}

export function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`;
}
