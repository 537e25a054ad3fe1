// Compares two flame graphs. Used by `ordermesh profile --compare`.

import { busyOf, type Flame, type FlameNode, type Frame, functionKey, IDLE, whereOf } from './flame.ts';
import { functionShares } from './functions.ts';

/** A place in either call tree. The numbers are shares of everything but idle: two profiles seldom saw the same amount of work. */
export interface ComparedNode {
  frame: Frame;
  selfA: number;
  totalA: number;
  selfB: number;
  totalB: number;
  children: ComparedNode[];
}

export function compareTrees(a: Flame, b: Flame): ComparedNode {
  const node = merged(a.root, b.root, unitOf(a), unitOf(b));
  // What waits is in no share, so the root is the sum of what is left.
  return { ...node, totalA: sum(node.children, 'totalA'), totalB: sum(node.children, 'totalB') };
}

/** What one unit of weight is as a share. */
function unitOf(flame: Flame): number {
  const busy = busyOf(flame);
  return busy === 0 ? 0 : 1 / busy;
}

function merged(a: FlameNode | undefined, b: FlameNode | undefined, unitA: number, unitB: number): ComparedNode {
  const pairs = new Map<string, [FlameNode | undefined, FlameNode | undefined]>();
  for (const child of a?.children ?? []) pairs.set(functionKey(child.frame), [child, undefined]);
  for (const child of b?.children ?? []) {
    const key = functionKey(child.frame);
    pairs.set(key, [pairs.get(key)?.[0], child]);
  }
  const children = [...pairs.values()]
    .filter(([ofA, ofB]) => !isIdle(ofA ?? ofB))
    .map(([ofA, ofB]) => merged(ofA, ofB, unitA, unitB));
  const [selfA, selfB] = [(a?.self ?? 0) * unitA, (b?.self ?? 0) * unitB];
  return {
    frame: (b ?? a)?.frame ?? { name: '', file: '', line: 0 },
    selfA,
    totalA: selfA + sum(children, 'totalA'),
    selfB,
    totalB: selfB + sum(children, 'totalB'),
    children: children.sort((x, y) => Math.max(y.totalA, y.totalB) - Math.max(x.totalA, x.totalB)),
  };
}

function isIdle(node: FlameNode | undefined): boolean {
  return node?.frame.name === IDLE && node.frame.file === '';
}

function sum(nodes: readonly ComparedNode[], side: 'totalA' | 'totalB'): number {
  return nodes.reduce((total, node) => total + node[side], 0);
}

/** How the share of a function differs; above 0 where it has grown from A to B. */
export interface FunctionChange {
  name: string;
  where: string;
  /** Without what the function calls. */
  a: number;
  b: number;
  change: number;
  /** The change with what it calls. */
  totalChange: number;
}

/** The largest change first. */
export function changedFunctions(a: Flame, b: Flame): FunctionChange[] {
  const [ofA, ofB] = [functionShares(a), functionShares(b)];
  return [...new Set([...ofA.keys(), ...ofB.keys()])]
    .map((key): FunctionChange => {
      const [before, after] = [ofA.get(key), ofB.get(key)];
      const frame = (after ?? before)?.frame ?? { name: '', file: '', line: 0 };
      return {
        name: frame.name,
        where: whereOf(frame),
        a: before?.self ?? 0,
        b: after?.self ?? 0,
        change: (after?.self ?? 0) - (before?.self ?? 0),
        totalChange: (after?.total ?? 0) - (before?.total ?? 0),
      };
    })
    .filter(({ change }) => change !== 0)
    .sort((x, y) => Math.abs(y.change) - Math.abs(x.change));
}
