// Samples the allocations of the main thread. Used by profile.ts. Node has `startHeapProfile()` for workers only, so this file alone speaks the
// protocol of the inspector (docs/decisions/0028-flame-graphs.md).

import { Session } from 'node:inspector/promises';

/** As Node samples the heap of a worker, so that the threads can be compared. */
const SAMPLING_INTERVAL_BYTES = 512 * 1024;

/** @returns what ends the sampling: the profile as JSON; `undefined` when it has ended already */
export async function startMainHeapProfile(): Promise<{ stop(): Promise<string | undefined> }> {
  const session = new Session();
  session.connect();
  await session.post('HeapProfiler.startSampling', { samplingInterval: SAMPLING_INTERVAL_BYTES });
  let stopped = false;
  return {
    async stop() {
      if (stopped) return undefined;
      stopped = true;
      const { profile } = await session.post('HeapProfiler.stopSampling');
      session.disconnect();
      return JSON.stringify(profile);
    },
  };
}
