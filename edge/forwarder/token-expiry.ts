// Reads the claims and the expiry of the store's token. Used by forwarder.ts and store-token.ts.

/** The claims of a token (RFC 7519). Not verified; the region does that. `undefined` for anything but a JWT. */
export function claimsOf(token: string): { store?: unknown; exp?: unknown } | undefined {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    return typeof claims === 'object' && claims !== null ? claims : undefined;
  } catch {
    // An opaque token: the region knows what it means.
    return undefined;
  }
}

/** When the token ends, in milliseconds since 1970. */
export function expiryOf(token: string): number | undefined {
  const exp = claimsOf(token)?.exp;
  return typeof exp === 'number' ? exp * 1_000 : undefined;
}
