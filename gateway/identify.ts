import type { ErrorCode } from '../contracts/errors.ts';
import { type Authenticator, type Identity, TokenError } from './identity.ts';

/** The identity behind a header, or `undefined` after `refusal` was told why there is none. Never rejects. */
export async function identify(
  authenticator: Authenticator,
  authorization: string,
  refusal: { refuse(code: ErrorCode, detail: string): void },
): Promise<Identity | undefined> {
  try {
    return authenticator.known(authorization) ?? (await authenticator.verify(authorization));
  } catch (error) {
    if (error instanceof TokenError) refusal.refuse('unauthenticated', error.message);
    else refusal.refuse('identity-unavailable', 'the keys that sign tokens could not be read');
    return undefined;
  }
}
