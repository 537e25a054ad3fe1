// Makes small profiles for the tests beside it.

import type { CpuProfile, HeapProfile } from '../../../telemetry/profiling/profile.ts';

const root = new URL('../../../', import.meta.url);

/** `onBatch@runtime/host/runtime-host.ts:7`, `(idle)`, or `read@node:net:1`; a function without a name begins with `@`. */
function callFrameOf(text: string) {
  const [, functionName = '', place = '', line = '0'] = /^([^@]*)(?:@(.*):(\d+))?$/.exec(text) ?? [];
  const isFile = place !== '' && !/^(node:|file:|\/)/.test(place);
  const url = isFile ? new URL(place, root).href : place;
  return { functionName, url, scriptId: '0', lineNumber: Number(line) - 1, columnNumber: 0 };
}

/** @param samples stacks with the outermost function first, and for how many microseconds each lasted */
export function cpuProfile(...samples: [stack: string[], us: number][]): CpuProfile {
  const nodes: { id: number; callFrame: ReturnType<typeof callFrameOf>; children: number[] }[] = [];
  const node = (text: string) => {
    const made = { id: nodes.length + 1, callFrame: callFrameOf(text), children: [] as number[] };
    nodes.push(made);
    return made;
  };
  const top = node('(root)');
  const ids = samples.map(([stack]) => {
    let at = top;
    for (const text of stack) {
      const wanted = JSON.stringify(callFrameOf(text));
      const known = nodes.find(({ id, callFrame }) => at.children.includes(id) && JSON.stringify(callFrame) === wanted);
      const child = known ?? node(text);
      if (known === undefined) at.children.push(child.id);
      at = child;
    }
    return at.id;
  });
  // Each difference is the time since the sample before. A last sample gives the one before it an end.
  return {
    nodes,
    startTime: 0,
    endTime: 0,
    samples: [...ids, top.id],
    timeDeltas: [0, ...samples.map(([, us]) => us)],
  };
}

export function heapProfile(...holders: [stack: string[], bytes: number][]): HeapProfile {
  const head: HeapProfile['head'] = { callFrame: callFrameOf('(root)'), selfSize: 0, children: [] };
  for (const [stack, bytes] of holders) {
    let at = head;
    for (const text of stack) {
      const child = { callFrame: callFrameOf(text), selfSize: 0, children: [] };
      at.children.push(child);
      at = child;
    }
    at.selfSize += bytes;
  }
  return { head };
}
