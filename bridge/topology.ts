import type { CreateSubscriptionOptions, PubSub } from '@google-cloud/pubsub';
import type { Config } from '../contracts/config.ts';
import type { GoogleCloudNames } from './google-cloud.ts';
import { grpcStatus, statusOf } from './grpc-status.ts';

const DAY_SECONDS = 86_400;

/** Whoever calls tries again by itself; the client's ten minutes of own retries would only hide the outage. */
const gaxOpts = {
  timeout: 5_000,
  retry: { retryCodes: [], backoffSettings: { ...noBackoff(), totalTimeoutMillis: 5_000 } },
};

/** How Pub/Sub reaches the loyalty function. */
export interface PushTarget {
  endpoint: string;
  serviceAccount?: string | undefined;
}

/** What both subscriptions share: a backlog outlives a long weekend, and an idle subscription never expires. */
const durable = {
  ackDeadlineSeconds: 60,
  messageRetentionDuration: { seconds: 7 * DAY_SECONDS },
  expirationPolicy: {},
  gaxOpts,
} satisfies CreateSubscriptionOptions;

/**
 * The push endpoint as the configuration knows it. Its path ends in the topic's name, which the functions framework reads there.
 * `undefined` when only the loyalty role itself can know it (a free port) or nobody told the public one of a real deployment.
 */
export function loyaltyPushTarget(config: Config, names: GoogleCloudNames, port: number): PushTarget | undefined {
  const serviceAccount = config.ORDERMESH_LOYALTY_PUSH_SERVICE_ACCOUNT;
  if (config.ORDERMESH_LOYALTY_PUSH_ENDPOINT !== undefined)
    return { endpoint: config.ORDERMESH_LOYALTY_PUSH_ENDPOINT, serviceAccount };
  if (config.PUBSUB_EMULATOR_HOST === undefined || port === 0) return undefined;
  const path = `/projects/${config.GOOGLE_CLOUD_PROJECT}/topics/${names.topic}`;
  return { endpoint: `http://${config.ORDERMESH_HOST}:${port}${path}`, serviceAccount };
}

/**
 * Creates what is missing of the topic and its two subscriptions. The bridge does this before it publishes, so that nothing is published to a
 * topic that nobody has subscribed to yet: such a message would be gone. Idempotent, and safe from several processes at once.
 */
export async function ensureTopology(
  pubSub: PubSub,
  names: GoogleCloudNames,
  pushTarget: PushTarget | undefined,
): Promise<void> {
  await ensure(
    () => pubSub.topic(names.topic).getMetadata(gaxOpts),
    () => pubSub.createTopic(names.topic, gaxOpts),
  );
  await Promise.all([ensureWarehouse(pubSub, names), ensureLoyalty(pubSub, names, pushTarget)]);
}

/** Neither reader needs Pub/Sub's ordered delivery: rows carry their sequence, points add up in any order. So one bad message holds up no other. */
async function ensureWarehouse(pubSub: PubSub, { topic, warehouseSubscription }: GoogleCloudNames): Promise<void> {
  await ensure(
    () => pubSub.subscription(warehouseSubscription).getMetadata(gaxOpts),
    () => pubSub.createSubscription(topic, warehouseSubscription, durable),
  );
}

async function ensureLoyalty(
  pubSub: PubSub,
  { topic, loyaltySubscription }: GoogleCloudNames,
  pushTarget: PushTarget | undefined,
): Promise<void> {
  const options: CreateSubscriptionOptions = {
    ...durable,
    retryPolicy: { minimumBackoff: { seconds: 1 }, maximumBackoff: { seconds: 60 } },
  };
  if (pushTarget !== undefined) options.pushConfig = pushConfig(pushTarget);
  await ensure(
    () => pubSub.subscription(loyaltySubscription).getMetadata(gaxOpts),
    () => pubSub.createSubscription(topic, loyaltySubscription, options),
  );
}

/** Points the subscription at the function's present address; does nothing where it already does. */
export async function pointLoyaltyAt(pubSub: PubSub, names: GoogleCloudNames, target: PushTarget): Promise<void> {
  const subscription = pubSub.subscription(names.loyaltySubscription);
  const [metadata] = await subscription.getMetadata(gaxOpts);
  if (metadata.pushConfig?.pushEndpoint === target.endpoint) return;
  await subscription.modifyPushConfig(pushConfig(target), gaxOpts);
}

function pushConfig({ endpoint, serviceAccount }: PushTarget) {
  if (serviceAccount === undefined) return { pushEndpoint: endpoint };
  return { pushEndpoint: endpoint, oidcToken: { serviceAccountEmail: serviceAccount } };
}

async function ensure(get: () => Promise<unknown>, create: () => Promise<unknown>): Promise<void> {
  try {
    await get();
  } catch (error) {
    if (statusOf(error) !== grpcStatus.notFound) throw error;
    await create().catch((refusal: unknown) => {
      if (statusOf(refusal) !== grpcStatus.alreadyExists) throw refusal;
    });
  }
}

function noBackoff() {
  return {
    initialRetryDelayMillis: 1,
    retryDelayMultiplier: 1,
    maxRetryDelayMillis: 1,
    initialRpcTimeoutMillis: 5_000,
    rpcTimeoutMultiplier: 1,
    maxRpcTimeoutMillis: 5_000,
  };
}
