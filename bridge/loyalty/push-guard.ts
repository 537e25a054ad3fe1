// Refuses requests that Pub/Sub has not pushed. Stands before the loyalty function.

import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { OAuth2Client } from 'google-auth-library';
import { Counter, type Registry } from 'prom-client';
import type { Logger } from '../../telemetry/logger.ts';

/** A refusal is logged once, and again after this time while it goes on. */
const SAY_AGAIN_MS = 60_000;

/** The names of the tokens' issuer, and where its certificates are. */
export interface TokenIssuer {
  issuers: string[];
  /** JSON object of PEM certificates by key id; absent for Google's own. */
  certificatesUrl?: string;
}

export const google: TokenIssuer = { issuers: ['https://accounts.google.com', 'accounts.google.com'] };

export interface PushGuardOptions {
  /** The account whose OIDC token Pub/Sub sends with each push. */
  serviceAccount: string;
  /** The push endpoint, as Pub/Sub puts it into the token. */
  audience: string;
  registry: Registry;
  logger: Logger;
  issuer?: TokenIssuer;
}

type Refusal = {
  status: 401 | 403 | 503;
  reason: 'no-token' | 'bad-token' | 'other-account' | 'no-certificates';
  detail: string;
};

const BEARER = /^Bearer +(\S+)$/i;

/** Lets a request through if Pub/Sub has pushed it as the configured account. Refuses requests that only claim to be a push. */
export function guardPushes(server: Server, options: PushGuardOptions): void {
  const { logger, registry } = options;
  const check = tokenCheck(options);
  const refused = new Counter({
    name: 'ordermesh_loyalty_pushes_refused_total',
    help: 'Pushes without a token of the configured service account, by reason.',
    labelNames: ['reason'],
    registers: [registry],
  });
  const saidAt = new Map<string, number>();
  const refuse = ({ status, reason, detail }: Refusal, response: ServerResponse) => {
    refused.inc({ reason });
    const now = performance.now();
    if (now - (saidAt.get(reason) ?? Number.NEGATIVE_INFINITY) >= SAY_AGAIN_MS) {
      saidAt.set(reason, now);
      logger.warn({ reason, detail }, 'a push was refused; ordermesh_loyalty_pushes_refused_total counts further ones');
    }
    response.writeHead(status, { 'content-type': 'text/plain' }).end(`${detail}\n`);
  };
  const handlers = server.listeners('request') as ((request: IncomingMessage, response: ServerResponse) => void)[];
  server.removeAllListeners('request');
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    void check(request.headers.authorization ?? '').then((refusal) => {
      if (refusal !== undefined) refuse(refusal, response);
      else for (const handle of handlers) handle.call(server, request, response);
    });
  });
}

/** What is wrong with an Authorization header; `undefined` if nothing is. Never rejects. */
function tokenCheck({ serviceAccount, audience, issuer = google }: PushGuardOptions) {
  const { certificatesUrl, issuers } = issuer;
  const client = new OAuth2Client(
    certificatesUrl === undefined ? {} : { endpoints: { oauth2FederatedSignonPemCertsUrl: certificatesUrl } },
  );
  return async (authorization: string): Promise<Refusal | undefined> => {
    const token = BEARER.exec(authorization)?.[1];
    if (token === undefined) return { status: 401, reason: 'no-token', detail: 'the push has no bearer token' };
    let certs: Awaited<ReturnType<typeof client.getFederatedSignonCertsAsync>>['certs'];
    try {
      certs = (await client.getFederatedSignonCertsAsync()).certs;
    } catch (error) {
      // Pub/Sub pushes again.
      const detail = `the certificates of the issuer cannot be read: ${(error as Error).message}`;
      return { status: 503, reason: 'no-certificates', detail };
    }
    try {
      const ticket = await client.verifySignedJwtWithCertsAsync(token, certs, audience, issuers);
      const { email, email_verified: isVerified } = ticket.getPayload() ?? {};
      if (email === serviceAccount && isVerified === true) return undefined;
      return {
        status: 403,
        reason: 'other-account',
        detail: 'the token is of another account than the configured one',
      };
    } catch (error) {
      // The library appends the token itself after a colon.
      const [why = ''] = (error as Error).message.split(':', 1);
      return { status: 401, reason: 'bad-token', detail: `the token is not accepted: ${why}` };
    }
  };
}
