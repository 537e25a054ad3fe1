import { randomUUID } from 'node:crypto';
import type { PubSub } from '@google-cloud/pubsub';
import type { GoogleCloudNames } from '../../bridge/pubsub/index.ts';

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

/** Ends what the run has left behind: Pub/Sub would push it to a function that isn't there, again and again, while others measure. */
export async function dropPerfNames(pubSub: PubSub, names: GoogleCloudNames): Promise<void> {
  await Promise.all(
    [names.loyaltySubscription, names.warehouseSubscription].map((name) => pubSub.subscription(name).delete()),
  );
  await pubSub.topic(names.topic).delete();
}
