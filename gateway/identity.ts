/** Who a request speaks for. */
export interface Identity {
  /** The store whose orders it may send and read; `undefined` for any, when authentication is off. */
  readonly store: string | undefined;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** A token that is not accepted; the message says why, and is fit to be shown to the sender. */
export class TokenError extends Error {
  override name = 'TokenError';
}

export interface Authenticator {
  /** The identity of an `Authorization` header that was verified before: the hot path, one look into a map. */
  known(authorization: string): Identity | undefined;
  /** Rejects with `TokenError`, or with another error when the issuer's keys can't be read: no fault of the token. */
  verify(authorization: string): Promise<Identity>;
}
