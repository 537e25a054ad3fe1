import { randomUUID } from 'node:crypto';
import type { GoogleCloudNames } from '../../bridge/google-cloud.ts';

/** Names of one benchmark run, so that runs don't feed each other's subscriptions. */
export function perfNames(): GoogleCloudNames {
  const run = `perf-${randomUUID()}`;
  return {
    topic: run,
    loyaltySubscription: `${run}-loyalty`,
    warehouseSubscription: `${run}-warehouse`,
    dataset: 'perf',
  };
}
