// Gets tokens for OAUTHBEARER from the token endpoint. Used by client-options.ts.

import type { KafkaSecurity } from '../../contracts/config/kafka-security.ts';
import { KafkaUnavailableError } from '../errors.ts';
import { secretOf } from './credentials.ts';
import { refused } from './refusals.ts';

const ANSWER_MS_MAX = 10_000;
/** A token is replaced when this share of its life is over, so that a connection never shows one that is about to end. */
const USED_SHARE = 0.8;
/** The life of a token whose endpoint does not tell it. */
const UNTOLD_LIFE_S = 60;

interface Token {
  text: string;
  /** On the clock of `performance.now()`. */
  freshUntil: number;
}

/** The newest question of each client, and the secret that it was asked with: a changed secret asks for a new token. */
const asked = new Map<string, { secret: string; token: Promise<Token> }>();

/**
 * A token, from memory while it is fresh.
 * @throws KafkaRefusedError when the endpoint refuses the client; KafkaUnavailableError when it does not answer
 */
export async function oauthToken(security: KafkaSecurity): Promise<string> {
  const secret = secretOf(security);
  const client = JSON.stringify([security.tokenEndpoint, security.username, security.scope]);
  const last = asked.get(client);
  if (last?.secret === secret) {
    // A question that failed was told to the caller who asked it; this caller asks again.
    const held = await last.token.catch(() => undefined);
    if (held !== undefined && performance.now() < held.freshUntil) return held.text;
  }
  const token = ask(security, secret);
  asked.set(client, { secret, token });
  return (await token).text;
}

async function ask({ tokenEndpoint = '', username = '', scope }: KafkaSecurity, secret: string): Promise<Token> {
  const askedAt = performance.now();
  const form = { grant_type: 'client_credentials', ...(scope === undefined ? {} : { scope }) };
  const credentials = [username, secret].map(encodeURIComponent).join(':');
  const response = await fetch(tokenEndpoint, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(credentials).toString('base64')}`, accept: 'application/json' },
    body: new URLSearchParams(form),
    signal: AbortSignal.timeout(ANSWER_MS_MAX),
  }).catch((error: Error) => {
    throw unavailable(
      tokenEndpoint,
      `does not answer: ${(error.cause as Error | undefined)?.message ?? error.message}`,
    );
  });
  if (response.status >= 400 && response.status < 500) {
    await response.body?.cancel();
    throw refused(
      'authentication',
      `refused (authentication): ${tokenEndpoint} answers ${response.status} to the client ${username}`,
    );
  }
  const answer = (await response.json().catch(() => ({}))) as { access_token?: unknown; expires_in?: unknown };
  if (!response.ok || typeof answer.access_token !== 'string')
    throw unavailable(tokenEndpoint, `answers ${response.status} without a token`);
  const lifeS = Number(answer.expires_in ?? UNTOLD_LIFE_S);
  return { text: answer.access_token, freshUntil: askedAt + lifeS * 1_000 * USED_SHARE };
}

function unavailable(endpoint: string, what: string): KafkaUnavailableError {
  return new KafkaUnavailableError(`the token endpoint ${endpoint} ${what}`);
}
