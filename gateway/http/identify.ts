// Finds out who sends a request. Called by the HTTP routes and by grpc/call.ts.

import type { ErrorCode } from '../../contracts/errors.ts';
import { type Authenticator, type Identity, TokenError } from '../identity/identity.ts';

/** The caller of a request, over HTTP or gRPC: the client certificate (to be read before the request's handler returns), and how to refuse. */
export interface Caller {
  /** Empty or absent where the connection has no verified certificate. */
  certificate(): string | Buffer | undefined;
  refuse(code: ErrorCode, detail: string): void;
}

/**
 * The identity of a request; `undefined` after the request was refused. The Authorization header decides if there is one, else the client
 * certificate. Never rejects.
 */
export async function identify(
  authenticator: Authenticator,
  authorization: string,
  caller: Caller,
): Promise<Identity | undefined> {
  try {
    if (authorization === '' && authenticator.certified !== undefined) {
      const certificate = caller.certificate();
      if (certificate !== undefined && certificate.length > 0) return authenticator.certified(certificate);
    }
    return authenticator.known(authorization) ?? (await authenticator.verify(authorization));
  } catch (error) {
    if (error instanceof TokenError) caller.refuse('unauthenticated', error.message);
    else caller.refuse('identity-unavailable', 'the keys that sign tokens could not be read');
    return undefined;
  }
}
