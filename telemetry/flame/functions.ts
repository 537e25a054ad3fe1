// Sums a flame graph up by function and by stage. Used by `ordermesh profile` for its tables.

import { busyOf, type Flame, type FlameNode, type Frame, functionKey, IDLE, whereOf } from './flame.ts';

/** Shares are of everything but idle, of all threads. */
export interface FunctionShare {
  frame: Frame;
  /** Of the function alone. */
  self: number;
  /** With all that it calls. A function that calls itself counts once. */
  total: number;
}

export interface FunctionTime {
  /** Without what the function calls. */
  share: number;
  /** With it. */
  total: number;
  name: string;
  /** File, relative to the program, and line; empty for what has no file. */
  where: string;
}

/** Where the time or the memory went, the largest first. */
export function functionsOf(flame: Flame): FunctionTime[] {
  return [...functionShares(flame).values()]
    .filter(({ self }) => self > 0)
    .map(({ frame, self, total }) => ({ share: self, total, name: frame.name, where: whereOf(frame) }))
    .sort((a, b) => b.share - a.share);
}

/** By `functionKey`. A level without stacks below it (GC, program) counts as a function. */
export function functionShares(flame: Flame): Map<string, FunctionShare> {
  const busy = busyOf(flame);
  const shares = new Map<string, FunctionShare>();
  const visit = ({ frame, self, total, children }: FlameNode, above: readonly string[], isLevel: boolean): void => {
    const key = functionKey(frame);
    let within = above;
    if (!isLevel || self > 0) {
      let known = shares.get(key);
      if (known === undefined) {
        known = { frame, self: 0, total: 0 };
        shares.set(key, known);
      }
      known.self += self / busy;
      if (!above.includes(key)) {
        known.total += total / busy;
        within = [...above, key];
      }
    }
    for (const child of children) visit(child, within, false);
  };
  if (busy > 0)
    for (const thread of flame.root.children)
      for (const stage of thread.children) if (stage.frame.name !== IDLE) visit(stage, [], true);
  return shares;
}

export interface StageShare {
  stage: string;
  share: number;
  /** Parts of the same whole, by thread. */
  threads: Record<string, number>;
}

/** The largest first. */
export function stagesOf(flame: Flame): StageShare[] {
  const busy = busyOf(flame);
  const stages = new Map<string, StageShare>();
  for (const thread of flame.root.children)
    for (const { frame, total } of thread.children) {
      if (frame.name === IDLE || busy === 0) continue;
      let known = stages.get(frame.name);
      if (known === undefined) {
        known = { stage: frame.name, share: 0, threads: {} };
        stages.set(frame.name, known);
      }
      known.share += total / busy;
      known.threads[thread.frame.name] = total / busy;
    }
  return [...stages.values()].sort((a, b) => b.share - a.share);
}
