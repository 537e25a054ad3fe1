import { mkdir } from 'node:fs/promises';
import { plainCluster } from '../../contracts/config/kafka-cluster.ts';
import { watchLiveness } from '../chaos/liveness/watch.ts';
import type { DrillRegion } from './region.ts';

/**
 * Watches a region that has just taken over, or come back, while `work` goes on: no partition with work may stand in it, and its roles are ready.
 * @returns how many partitions and roles stood for too long
 */
export async function watchRegion(
  region: DrillRegion,
  { directory, accepted, say }: { directory: string; accepted(): number; say(line: string): void },
  work: () => Promise<void>,
): Promise<number> {
  await mkdir(directory, { recursive: true });
  const watch = watchLiveness({
    cluster: plainCluster(region.brokers),
    // The mirror of the active region has nothing to copy, or no region to copy from.
    roles: () => region.adminAddresses.filter(({ role }) => role !== 'mirror'),
    directory,
    accepted,
    say,
  });
  watch.mended();
  try {
    await work();
  } finally {
    await watch.close();
  }
  return watch.stood;
}
