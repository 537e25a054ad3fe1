// The topic and its two subscriptions: creates and checks them. Called by the upkeep of bridge, loyalty and warehouse.

import type { CreateSubscriptionOptions, PubSub } from '@google-cloud/pubsub';
import { type PushTarget, pushConfig } from '../loyalty/push-target.ts';
import type { OnMade } from '../upkeep.ts';
import type { GoogleCloudNames } from './google-cloud.ts';
import { grpcStatus, statusOf } from './grpc-status.ts';

const DAY_SECONDS = 86_400;

/** No retries in the client: the callers retry, and ten minutes of retries inside the client would only hide an outage. */
const gaxOpts = {
  timeout: 5_000,
  retry: { retryCodes: [], backoffSettings: { ...noBackoff(), totalTimeoutMillis: 5_000 } },
};

/** The topic of a subscription whose topic was deleted, as Pub/Sub names it. */
const DELETED_TOPIC = '_deleted-topic_';

/**
 * For both subscriptions: a backlog survives a long weekend, and an idle subscription never expires. Neither reader needs Pub/Sub's ordered
 * delivery, because rows have their sequence and points add up in any order. So one bad message delays no other.
 */
const durable = {
  ackDeadlineSeconds: 60,
  messageRetentionDuration: { seconds: 7 * DAY_SECONDS },
  expirationPolicy: {},
  gaxOpts,
} satisfies CreateSubscriptionOptions;

/**
 * Creates the topic and its two subscriptions if they are missing, and calls `onMade` for each. The bridge calls this before it publishes,
 * because a message that is published to a topic without subscriptions is lost. Idempotent, and safe from several processes at once.
 * @throws Error when a subscription has lost its topic
 */
export async function ensureTopology(
  pubSub: PubSub,
  names: GoogleCloudNames,
  pushTarget: PushTarget | undefined,
  onMade: OnMade = () => {},
): Promise<void> {
  const { topic, warehouseSubscription, loyaltySubscription } = names;
  const missing = await missingNames(pubSub, names);
  const make = async (kind: string, name: string, create: () => Promise<unknown>) => {
    if (missing.has(name) && (await isCreated(create))) onMade(`${kind} ${name}`);
  };
  await make('topic', topic, () => pubSub.createTopic(topic, gaxOpts));
  const subscribe = (name: string, options: CreateSubscriptionOptions) =>
    make('subscription', name, () => pubSub.createSubscription(topic, name, options));
  await Promise.all([
    subscribe(warehouseSubscription, durable),
    subscribe(loyaltySubscription, loyaltyOptions(pushTarget, pubSub.isEmulator)),
  ]);
}

/** Resolves if topic and subscriptions exist, so that a published message has readers. Rejects otherwise. */
export async function checkTopology(pubSub: PubSub, names: GoogleCloudNames): Promise<void> {
  const missing = [...(await missingNames(pubSub, names))];
  if (missing.length > 0) throw new Error(`${missing.join(' and ')} not in place`);
}

/** Resolves when the subscription exists. */
export async function checkSubscription(pubSub: PubSub, name: string): Promise<void> {
  await pubSub.subscription(name).getMetadata(gaxOpts);
}

/**
 * Which of the topic and its subscriptions do not exist. After its topic was deleted, a subscription keeps its messages and gets none from
 * a new topic of the same name. So the topic is not created while there is such a subscription: the bridge waits, and publishes nothing
 * that the subscription would miss.
 * @throws Error when a subscription has lost its topic
 */
async function missingNames(pubSub: PubSub, names: GoogleCloudNames): Promise<Set<string>> {
  const { topic, warehouseSubscription, loyaltySubscription } = names;
  const missing = new Set<string>();
  const look = async (name: string) => {
    const metadata = await found(pubSub.subscription(name).getMetadata(gaxOpts));
    if (metadata === undefined) missing.add(name);
    else if (metadata[0].topic === DELETED_TOPIC)
      throw new Error(
        `subscription ${name} has lost its topic ${topic}, which was deleted; when its reader has read what it holds, delete the subscription: both are made again`,
      );
  };
  const lookForTopic = async () => {
    if ((await found(pubSub.topic(topic).getMetadata(gaxOpts))) === undefined) missing.add(topic);
  };
  await Promise.all([look(warehouseSubscription), look(loyaltySubscription), lookForTopic()]);
  return missing;
}

/**
 * Google's emulator (0.8.20) loses messages of a push subscription with a retry policy: after two or three pushes that fail it pushes them
 * no more, and holds them no more. Without a policy it pushes again at once.
 */
function loyaltyOptions(pushTarget: PushTarget | undefined, isEmulator: boolean): CreateSubscriptionOptions {
  return {
    ...durable,
    ...(isEmulator ? {} : { retryPolicy: { minimumBackoff: { seconds: 1 }, maximumBackoff: { seconds: 60 } } }),
    ...(pushTarget === undefined ? {} : { pushConfig: pushConfig(pushTarget) }),
  };
}

/** Sets the push endpoint of the subscription to the function's current address, unless it is set already. */
export async function pointLoyaltyAt(pubSub: PubSub, names: GoogleCloudNames, target: PushTarget): Promise<void> {
  const subscription = pubSub.subscription(names.loyaltySubscription);
  const [metadata] = await subscription.getMetadata(gaxOpts);
  if (metadata.pushConfig?.pushEndpoint === target.endpoint) return;
  await subscription.modifyPushConfig(pushConfig(target), gaxOpts);
}

/** `undefined` when Pub/Sub answers NOT_FOUND. */
async function found<T>(metadata: Promise<T>): Promise<T | undefined> {
  try {
    return await metadata;
  } catch (error) {
    if (statusOf(error) !== grpcStatus.notFound) throw error;
    return undefined;
  }
}

/** False if another process was faster; that process logs it. */
async function isCreated(create: () => Promise<unknown>): Promise<boolean> {
  try {
    await create();
    return true;
  } catch (refusal) {
    if (statusOf(refusal) === grpcStatus.alreadyExists) return false;
    throw refusal;
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
