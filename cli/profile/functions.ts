// Sums profiles up by function. Called by profile-report.ts.

import { fileURLToPath } from 'node:url';
import type { ThreadProfile } from '../../telemetry/profile.ts';

export interface FunctionTime {
  /** Of the time in which any thread was busy; of its own, without what it calls. */
  share: number;
  name: string;
  /** File, relative to the program, and line; empty for what has no file. */
  where: string;
}

/** What V8 calls the time in which a thread waits. */
const IDLE = '(idle)';
const root = fileURLToPath(new URL('../../', import.meta.url));

/** Where the processor time of the threads went, the largest first. */
export function functionsOf(threads: readonly Pick<ThreadProfile, 'profile'>[]): FunctionTime[] {
  const times = new Map<string, FunctionTime>();
  let busy = 0;
  for (const { profile } of threads) {
    const nodes = new Map(profile.nodes.map((node) => [node.id, node.callFrame]));
    const { samples = [], timeDeltas = [] } = profile;
    for (const [index, id] of samples.entries()) {
      const frame = nodes.get(id);
      // A sample stands for the time until the next one.
      const time = timeDeltas[index + 1] ?? 0;
      if (frame === undefined || frame.functionName === IDLE) continue;
      const name = frame.functionName === '' ? '(anonymous)' : frame.functionName;
      const where = frame.url === '' ? '' : `${placeOf(frame.url)}:${frame.lineNumber + 1}`;
      const key = `${name} ${where}`;
      const known = times.get(key);
      if (known === undefined) times.set(key, { share: time, name, where });
      else known.share += time;
      busy += time;
    }
  }
  return [...times.values()]
    .map((entry) => ({ ...entry, share: busy === 0 ? 0 : entry.share / busy }))
    .sort((a, b) => b.share - a.share);
}

function placeOf(url: string): string {
  const file = url.startsWith('file://') ? fileURLToPath(url) : url;
  return file.startsWith(root) ? file.slice(root.length) : file;
}
