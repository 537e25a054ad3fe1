import type { Config } from '../../contracts/config/config.ts';
import { hostPort } from '../../contracts/local-url.ts';
import type { GoogleCloudNames } from '../pubsub/google-cloud.ts';

/** How Pub/Sub reaches the loyalty function. */
export interface PushTarget {
  endpoint: string;
  serviceAccount?: string | undefined;
}

/**
 * The push endpoint by the configuration. Its path ends in the topic's name, which the functions framework reads there. `undefined` if only
 * the loyalty role can know it (a free port), or if a real deployment has no public address configured.
 */
export function loyaltyPushTarget(config: Config, names: GoogleCloudNames, port: number): PushTarget | undefined {
  const serviceAccount = config.ORDERMESH_LOYALTY_PUSH_SERVICE_ACCOUNT;
  if (config.ORDERMESH_LOYALTY_PUSH_ENDPOINT !== undefined)
    return { endpoint: config.ORDERMESH_LOYALTY_PUSH_ENDPOINT, serviceAccount };
  if (config.PUBSUB_EMULATOR_HOST === undefined || port === 0) return undefined;
  const path = `/projects/${config.GOOGLE_CLOUD_PROJECT}/topics/${names.topic}`;
  return { endpoint: `http://${hostPort(config.ORDERMESH_HOST, port)}${path}`, serviceAccount };
}

/** The target in the form of the Pub/Sub client. */
export function pushConfig({ endpoint, serviceAccount }: PushTarget) {
  if (serviceAccount === undefined) return { pushEndpoint: endpoint };
  return { pushEndpoint: endpoint, oidcToken: { serviceAccountEmail: serviceAccount } };
}
