// Names what a thread did outside of the stages of its clock, by samples. Called by costs.ts; pure.

import { OTHER } from '../../telemetry/flame/stages.ts';
import type { ThreadCost } from '../../telemetry/stages/stage-costs.ts';

/** What else a sample can be of than a stage. */
const states: Readonly<Record<string, string>> = {
  GC: 'garbage collector (sampled)',
  program: 'native code of Node and the event loop (sampled)',
};
/** A flame graph of the gateway has these two in the third. */
const partsOfAppend = ['encode', 'produce'];
const APPEND = 'append';

export interface Beyond {
  name: string;
  seconds: number;
}

/**
 * The time outside of all stages of the clock is measured: it is the thread's processor time less that of its stages. Samples say what it
 * was: the garbage collector, native code, and functions that belong to a stage but run in callbacks that the clock does not see (the flame
 * graph's table knows them by file and name). They get this time in the proportions in which the samples exceed the clock. The share of
 * samples in functions that belong to no stage stays unnamed.
 * @param sampled shares of the thread's busy time; without samples nothing is named
 */
export function beyondTheClock(
  { cpuSeconds, explainedSeconds, stages }: ThreadCost,
  sampled: Readonly<Record<string, number>> = {},
): Beyond[] {
  const outside = cpuSeconds - explainedSeconds;
  const named = outside - (sampled[OTHER] ?? 0) * cpuSeconds;
  const clocked = (level: string) =>
    stages
      .filter(({ stage }) => stage === level || (level === APPEND && partsOfAppend.includes(stage)))
      .reduce((sum, stage) => sum + stage.cpuSeconds, 0);
  const excess = Object.entries(sampled)
    .filter(([level]) => level !== OTHER)
    .map(([level, share]) => ({ level, seconds: share * cpuSeconds - clocked(level) }))
    .filter(({ seconds }) => seconds > 0);
  const total = excess.reduce((sum, { seconds }) => sum + seconds, 0);
  if (named <= 0 || total === 0) return [];
  return excess.map(({ level, seconds }) => ({
    name: states[level] ?? `${level}, beside its clock (sampled)`,
    seconds: (named * seconds) / total,
  }));
}
