// Folds the profiles of threads into one flame graph. Used by `ordermesh profile`.

import type { CpuProfile, HeapProfile, ThreadProfile } from '../profiling/profile.ts';
import { FlameBuilder } from './builder.ts';
import { ANONYMOUS, type Flame, type Frame, IDLE } from './flame.ts';
import { placeOf } from './place.ts';
import { stagesFor } from './stages.ts';

/** What V8 calls the states of a thread, and the levels that they are here. */
const states: Readonly<Record<string, string>> = {
  '(idle)': IDLE,
  '(garbage collector)': 'GC',
  '(program)': 'program',
};

/** Of one kind, all of them. */
export function foldThreads(threads: readonly Pick<ThreadProfile, 'thread' | 'profile'>[]): Flame {
  const builder = new FlameBuilder();
  const stacks = threads.flatMap(({ thread, profile }) =>
    [...(isHeapProfile(profile) ? heapStacks(profile) : cpuStacks(profile))].map((stack) => ({ thread, ...stack })),
  );
  const stageOf = stagesFor(stacks.map(({ frames }) => frames));
  for (const { thread, state, frames, weight } of stacks)
    builder.add([level(thread), level(state ?? stageOf(frames)), ...frames], weight);
  const [first] = threads;
  return builder.build(first !== undefined && isHeapProfile(first.profile) ? 'bytes' : 'microseconds');
}

export function isHeapProfile(profile: CpuProfile | HeapProfile): profile is HeapProfile {
  return 'head' in profile;
}

interface Stack {
  /** Set where the thread runs no JavaScript. */
  state: string | undefined;
  /** The outermost first. */
  frames: Frame[];
  weight: number;
}

type CallFrame = CpuProfile['nodes'][number]['callFrame'];

/** One for each node in which the thread was seen. */
function* cpuStacks({ nodes, samples = [], timeDeltas = [] }: CpuProfile): Generator<Stack> {
  const weights = new Map<number, number>();
  // A sample stands for the time until the next one.
  for (const [index, id] of samples.entries()) weights.set(id, (weights.get(id) ?? 0) + (timeDeltas[index + 1] ?? 0));
  const byId = new Map(nodes.map((node) => [node.id, node.callFrame]));
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)));
  for (const [id, weight] of weights) {
    const calls: CallFrame[] = [];
    for (let at: number | undefined = id; at !== undefined; at = parents.get(at)) {
      const call = byId.get(at);
      if (call !== undefined) calls.push(call);
    }
    if (weight > 0) yield stackOf(calls.reverse(), weight);
  }
}

/** One for each node that has allocated something. */
function* heapStacks({ head }: HeapProfile): Generator<Stack> {
  const left = [{ node: head, calls: [head.callFrame] }];
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const { node, calls } = next;
    if (node.selfSize > 0) yield stackOf(calls, node.selfSize);
    for (const child of node.children) left.push({ node: child, calls: [...calls, child.callFrame] });
  }
}

function stackOf(calls: readonly CallFrame[], weight: number): Stack {
  let state: string | undefined;
  const frames: Frame[] = [];
  for (const { functionName: name, url, lineNumber } of calls) {
    if (url === '' && name in states) state = states[name];
    else if (name !== '(root)')
      frames.push({ name: name || ANONYMOUS, file: placeOf(url), line: url === '' ? 0 : lineNumber + 1 });
  }
  return { state, frames, weight };
}

function level(name: string): Frame {
  return { name, file: '', line: 0 };
}
