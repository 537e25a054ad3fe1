import type { RateLimit } from './rate-limit.ts';

/** Who a request speaks for. */
export interface Identity {
  /** The store whose orders it may send and read; `undefined` for any, when authentication is off. */
  readonly store: string | undefined;
  /** Milliseconds since 1970, with the tolerance for the issuer's clock. */
  readonly expiresAt: number;
  /** `jti` of the token, or SHA-256 fingerprint of the client certificate; the list of revoked tokens names it. */
  readonly tokenId?: string | undefined;
  /** `sub` of the token; absent where it has none. */
  readonly device?: string | undefined;
  /** Milliseconds since 1970; absent where the token does not say. */
  readonly issuedAt?: number | undefined;
  /** The key that signed the token, as `KeySet.markOf` has it; absent for a client certificate. */
  readonly keyMark?: string | undefined;
  /** The authority that signed the client certificate, from `Authorities.signerOf`; absent for a token. */
  readonly authority?: string | undefined;
  /** The rate limit for orders of the store and device; absent where there is no limit. */
  readonly limit?: RateLimit | undefined;
  /** The rate limit for status questions of the store; absent where there is no limit. */
  readonly reads?: RateLimit | undefined;
}

/** A token or client certificate that is not accepted; the message says why, and is fit to be shown to the sender. */
export class TokenError extends Error {
  override name = 'TokenError';
}

export interface Authenticator {
  /** The identity of an `Authorization` header that was verified before: the hot path, one lookup in a map. */
  known(authorization: string): Identity | undefined;
  /** Rejects with `TokenError`, or with another error when the issuer's keys cannot be read, which is not the token's fault. */
  verify(authorization: string): Promise<Identity>;
  /**
   * The identity of a client certificate that the TLS handshake has verified, as PEM or DER; absent where the server asks for no certificates.
   * @throws TokenError
   */
  readonly certified?: ((certificate: string | Buffer) => Identity) | undefined;
  /**
   * Why the credentials of an identity are not accepted any more; `undefined` while they are. Called for open connections; `known` checks this
   * itself.
   */
  ended?(identity: Identity): string | undefined;
  /** To be called when the list of revoked tokens or the authorities have changed. */
  forgetRevoked?(): void;
  /** Why no token can be verified; `undefined` while tokens can be verified. */
  readiness?(): string | undefined;
  /** Why the keys or the list of revoked tokens cannot be read again, while the ones read before remain in force. */
  trouble?(): string | undefined;
  close?(): void;
}
