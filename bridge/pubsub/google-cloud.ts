// The names, addresses and clients of Pub/Sub and BigQuery. Used by the roles bridge, loyalty and warehouse.

import { BigQuery } from '@google-cloud/bigquery';
import { PubSub } from '@google-cloud/pubsub';
import { GoogleAuth, PassThroughClient } from 'google-auth-library';
import { type Config, ConfigError } from '../../contracts/config/config.ts';

/** The names of the contract; tests use others, so that they don't mix. */
export interface GoogleCloudNames {
  topic: string;
  loyaltySubscription: string;
  warehouseSubscription: string;
  dataset: string;
}

export const googleCloudNames: Readonly<GoogleCloudNames> = {
  topic: 'order-events',
  loyaltySubscription: 'loyalty',
  warehouseSubscription: 'warehouse',
  dataset: 'ordermesh',
};

/** Project and endpoint; plain data, so that it can cross a thread boundary. Without an endpoint it is the real service. */
export interface GoogleCloudAddress {
  project: string;
  pubSubEmulator?: string | undefined;
  bigQueryEmulator?: string | undefined;
}

export function googleCloudAddress(config: Config): GoogleCloudAddress {
  return {
    project: config.GOOGLE_CLOUD_PROJECT,
    pubSubEmulator: config.PUBSUB_EMULATOR_HOST,
    bigQueryEmulator: config.BIGQUERY_EMULATOR_HOST,
  };
}

type EmulatorVariable = 'PUBSUB_EMULATOR_HOST' | 'BIGQUERY_EMULATOR_HOST';

/**
 * Checks at start that every service a role needs is either an emulator or one that we have credentials for. Otherwise a call would fail an
 * hour later.
 * @throws ConfigError naming the variables
 */
export async function requireGoogleCloud(
  role: string,
  config: Config,
  needs: readonly EmulatorVariable[],
): Promise<void> {
  const missing = needs.filter((name) => config[name] === undefined);
  if (missing.length === 0) return;
  try {
    await new GoogleAuth({ scopes: 'https://www.googleapis.com/auth/cloud-platform' }).getClient();
  } catch (error) {
    throw new ConfigError(
      `${role} needs Google Cloud: set ${missing.join(' and ')} to host:port of an emulator, or give credentials of project ` +
        `${config.GOOGLE_CLOUD_PROJECT} (GOOGLE_CLOUD_PROJECT) by GOOGLE_APPLICATION_CREDENTIALS or \`gcloud auth application-default login\``,
      { cause: error },
    );
  }
}

export function createPubSub({ project, pubSubEmulator }: GoogleCloudAddress): PubSub {
  if (pubSubEmulator === undefined) return new PubSub({ projectId: project });
  return new PubSub({ projectId: project, apiEndpoint: pubSubEmulator, emulatorMode: true });
}

/** How much of a wrong answer is shown, to tell who sent it. */
const BODY_SHOWN_MAX = 80;

/** BigQuery has not answered a request in time. Whether the request was carried out is unknown. */
export class BigQuerySilentError extends Error {
  override name = 'BigQuerySilentError';
  readonly code = 'ETIMEDOUT';
}

/** The answer is not from BigQuery but from a login page, a proxy or an ingress. Whether BigQuery got the request is unknown. */
export class NotBigQueryError extends Error {
  override name = 'NotBigQueryError';
}

/**
 * A BigQuery client without retries of its own, with a time limit for every request, that accepts only answers of BigQuery. The caller
 * knows the rows and decides what to do after an error.
 */
export function createBigQuery({ project, bigQueryEmulator }: GoogleCloudAddress, timeoutMs: number): BigQuery {
  const options = { projectId: project, autoRetry: false };
  if (bigQueryEmulator === undefined) return withChecks(new BigQuery(options), timeoutMs);
  const endpoint = /^https?:\/\//.test(bigQueryEmulator) ? bigQueryEmulator : `http://${bigQueryEmulator}`;
  const client = new BigQuery({ ...options, apiEndpoint: endpoint, authClient: new PassThroughClient() });
  // The client takes BIGQUERY_EMULATOR_HOST, when it is set, for a whole base URL; with host:port alone every request would go to a wrong path.
  client.baseUrl = `${endpoint.replace(/\/+$/, '')}/bigquery/v2`;
  return withChecks(client, timeoutMs);
}

/**
 * The client's own `timeout` has no effect: it becomes an option of node-fetch, which has had no such option since version 3
 * (googleapis/teeny-request). A server that takes a request and never answers would make the caller wait for ever. The client also accepts
 * every answer with status 200: a login page has no `insertErrors`, which would mean that all rows are inserted.
 */
function withChecks(client: BigQuery, timeoutMs: number): BigQuery {
  const request = client.request.bind(client);
  client.request = (options, callback) => {
    let answer: typeof callback | undefined = callback;
    const settle: typeof callback = (...answered) => {
      clearTimeout(timer);
      answer?.(...answered);
      answer = undefined;
    };
    const timer = setTimeout(() => settle(new BigQuerySilentError(`no answer within ${timeoutMs} ms`)), timeoutMs);
    request(options, (error, body, response) => {
      const isExpected = error || isAnswer(body) || (options.method === 'DELETE' && !body);
      if (isExpected) settle(error, body, response);
      else settle(notBigQuery(client, body));
    });
  };
  return client;
}

/** Every resource and every answer of BigQuery's REST interface carries its kind, such as `bigquery#table`. */
function isAnswer(body: unknown): boolean {
  const kind = typeof body === 'object' && body !== null && 'kind' in body ? body.kind : undefined;
  return typeof kind === 'string' && kind.startsWith('bigquery#');
}

function notBigQuery({ baseUrl }: BigQuery, body: unknown): NotBigQueryError {
  const text = (typeof body === 'string' ? body : (JSON.stringify(body) ?? '')).slice(0, BODY_SHOWN_MAX);
  return new NotBigQueryError(
    `the answer at ${baseUrl} is not BigQuery's: it begins with ${JSON.stringify(text)}; look for a proxy, a login page or a wrong BIGQUERY_EMULATOR_HOST`,
  );
}
