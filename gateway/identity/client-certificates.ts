// Checks client certificates, and reads the store from them. Created by authenticator.ts.

import { X509Certificate } from 'node:crypto';
import type { Clock } from '../../contracts/clock.ts';
import type { Authorities } from '../../telemetry/files/tls-watch.ts';
import { Generations } from './generations.ts';
import { type Identity, TokenError } from './identity.ts';
import type { RateLimits } from './rate-limit.ts';
import { isRevoked, type RevokedTokens } from './revoked-tokens.ts';

/** A URI among the subject's alternative names that begins so names the store. */
const STORE_URI = 'urn:ordermesh:store:';

/** An identity leaves the cache at its certificate's expiry; this only drops identities that are not used any more. */
const CACHE_AGE_MS = 3_600_000;

export const WITHDRAWN = 'the authority of the client certificate is not trusted any more';

export interface ClientCertificatesOptions {
  identitiesMax: number;
  clock: Clock;
  /** Holds SHA-256 fingerprints of certificates beside the ids of tokens. */
  revoked?: RevokedTokens | undefined;
  limits?: RateLimits | undefined;
  /** Absent in tests: then only the handshake decides. */
  authorities?: Authorities | undefined;
}

/**
 * Identities from client certificates. The TLS handshake has proved that a trusted authority signed the certificate for a client, and that the
 * client has its key. This class checks what remains: the store it names, whether it was revoked, and whether it has expired since the handshake.
 */
export class ClientCertificates {
  readonly #options: ClientCertificatesOptions;
  readonly #identities: Generations<Identity>;

  constructor(options: ClientCertificatesOptions) {
    this.#options = options;
    this.#identities = new Generations(options.identitiesMax, CACHE_AGE_MS, options.clock.now());
  }

  /**
   * @param certificate from a verified handshake; PEM or DER
   * @throws TokenError
   */
  identify(certificate: string | Buffer): Identity {
    const { clock, revoked, limits, authorities } = this.#options;
    const now = clock.now();
    const key = typeof certificate === 'string' ? certificate : certificate.toString('latin1');
    const known = this.#identities.get(key);
    if (known !== undefined && known.expiresAt > now) return known;
    const x509 = new X509Certificate(certificate);
    const { fingerprint256, subject, subjectAltName, validFromDate, validToDate } = x509;
    const expiresAt = validToDate.getTime();
    if (expiresAt <= now) throw new TokenError('the client certificate is expired');
    const store = storeOf(subjectAltName);
    // A renewed certificate has the same subject, so the device keeps its rate.
    const rates = limits?.limitsOf(store, subject || fingerprint256, now);
    const issuedAt = validFromDate.getTime();
    const authority = authorities?.signerOf(x509);
    const identity: Identity = { store, expiresAt, tokenId: fingerprint256, issuedAt, authority, ...rates };
    if (!this.isTrusted(identity)) throw new TokenError(WITHDRAWN);
    if (isRevoked(revoked, identity)) throw new TokenError('the client certificate has been revoked');
    this.#identities.set(key, identity, now);
    return identity;
  }

  /** Whether the authority that signed the certificate is still in the file of authorities. */
  isTrusted({ authority }: Identity): boolean {
    return authority === undefined || this.#options.authorities?.trusts(authority) !== false;
  }

  forgetRevoked(): void {
    const { revoked } = this.#options;
    this.#identities.deleteWhere((identity) => isRevoked(revoked, identity) || !this.isTrusted(identity));
  }
}

function storeOf(subjectAltName: string | undefined): string {
  const stores = alternativeNames(subjectAltName ?? '').flatMap(({ type, value }) =>
    type === 'URI' && value.startsWith(STORE_URI) ? [value.slice(STORE_URI.length)] : [],
  );
  const [store] = stores;
  if (store === undefined || stores.length > 1)
    throw new TokenError(`the client certificate must have exactly one URI ${STORE_URI}<storeId> as alternative name`);
  return store;
}

/** One name as Node writes it. Node writes a value with a comma or quote as a JSON string, so one value cannot look like two names. */
const ALTERNATIVE_NAME = /([^:,"]+):("(?:[^"\\]|\\.)*"|[^",]*)(?:, |$)/y;

/** @throws TokenError for text in another form than Node's: a wrong name would be worse than a refusal */
export function alternativeNames(text: string): { type: string; value: string }[] {
  const names: { type: string; value: string }[] = [];
  ALTERNATIVE_NAME.lastIndex = 0;
  while (ALTERNATIVE_NAME.lastIndex < text.length) {
    const [, type = '', value = ''] = ALTERNATIVE_NAME.exec(text) ?? [];
    if (type === '') throw new TokenError('the alternative names of the client certificate cannot be read');
    names.push({ type, value: value.startsWith('"') ? JSON.parse(value) : value });
  }
  return names;
}
