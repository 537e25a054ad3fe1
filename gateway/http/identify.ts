import type { ErrorCode } from '../../contracts/errors.ts';
import { type Authenticator, type Identity, TokenError } from '../identity/identity.ts';

/** Who asks: their client certificate, read before the request's handler returns, and where to say why they are nobody. */
export interface Caller {
  /** Empty or absent where the connection has none that was verified. */
  certificate(): string | Buffer | undefined;
  refuse(code: ErrorCode, detail: string): void;
}

/**
 * The identity behind a request, or `undefined` after its caller was told why there is none. An Authorization header counts where there is
 * one, else the client certificate. Never rejects.
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
