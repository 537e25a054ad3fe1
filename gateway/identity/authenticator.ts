// Verifies tokens and client certificates. Created by server/identity.ts.

import { type CryptoKey, errors, jwtVerify } from 'jose';
import type { Clock } from '../../contracts/clock.ts';
import { type Config, ConfigError } from '../../contracts/config/config.ts';
import { assertSimulationAllowed } from '../../contracts/config/simulation.ts';
import { isLoopback } from '../../contracts/loopback.ts';
import type { Authorities } from '../../telemetry/files/tls-watch.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { ClientCertificates, WITHDRAWN } from './client-certificates.ts';
import { Generations } from './generations.ts';
import { type Authenticator, type Identity, TokenError } from './identity.ts';
import { developmentIssuer } from './issuer.ts';
import { type KeySet, keySet } from './key-set.ts';
import { RateLimits } from './rate-limit.ts';
import { isRevoked, type RevokedTokens, watchRevokedTokens } from './revoked-tokens.ts';

export { isLoopback };

/** Asymmetric algorithms only; `none` and shared secrets are not among them, whatever the header of a token says. */
const algorithms = ['EdDSA', 'ES256', 'RS256'];

/** A verified token leaves the cache at its own expiry; this only drops tokens that are not used any more. */
const CACHE_AGE_MS = 3_600_000;

const BEARER = /^Bearer +([\w-]+\.[\w-]+\.[\w-]*)$/i;

export interface AuthenticatorOptions {
  config: Config;
  clock: Clock;
  logger: Logger;
  /** Called when the list of revoked tokens or the keys have changed: `ended` may answer differently from now on. */
  onChange?: () => void;
  /** Called for each token that could not be verified because the keys could not be read. */
  onOutage?: () => void;
  /** The authorities of client certificates; absent when the gateway takes no client certificates. */
  authorities?: Authorities | undefined;
}

/**
 * The authenticator that the configuration asks for.
 * @throws ConfigError when authentication is off, or the development issuer is used, while listening on more than the loopback interface.
 */
export async function createAuthenticator(options: AuthenticatorOptions): Promise<Authenticator> {
  const { config, clock, logger, onChange, onOutage, authorities } = options;
  if (!config.ORDERMESH_AUTH) return withoutAuthentication(config.ORDERMESH_HOST);
  assertSimulationAllowed('gateway', config);
  const location = config.ORDERMESH_JWKS ?? (await developmentIssuer(config.ORDERMESH_DATA_DIR)).jwksFile;
  const keys = await keySet(location, {
    logger,
    onChange() {
      authenticator.forgetVerified();
      logger.info('the keys that sign tokens have changed');
      onChange?.();
    },
  });
  const list = config.ORDERMESH_REVOKED_TOKENS_FILE;
  const revoked =
    list === undefined
      ? undefined
      : await watchRevokedTokens(list, logger, () => {
          authenticator.forgetRevoked();
          onChange?.();
        }).catch((error: Error) => {
          keys.close();
          throw error;
        });
  const tokensCachedMax = config.ORDERMESH_TOKENS_CACHED_MAX;
  const limits = RateLimits.from(config, clock.now());
  const authenticator = new TokenAuthenticator({
    keys,
    issuer: config.ORDERMESH_JWT_ISSUER,
    audience: config.ORDERMESH_JWT_AUDIENCE,
    tokensCachedMax,
    clock,
    clockToleranceMs: config.ORDERMESH_JWT_CLOCK_TOLERANCE,
    revoked,
    limits,
    onOutage,
    certificates:
      config.TLS_CLIENT_CA_FILE === undefined
        ? undefined
        : new ClientCertificates({ identitiesMax: tokensCachedMax, clock, revoked, limits, authorities }),
  });
  return authenticator;
}

function withoutAuthentication(host: string): Authenticator {
  if (!isLoopback(host))
    throw new ConfigError(
      `ORDERMESH_AUTH is off while ORDERMESH_HOST is ${JSON.stringify(host)}: set ORDERMESH_AUTH=on, or ORDERMESH_HOST to a loopback address`,
    );
  const anyone: Identity = { store: undefined, expiresAt: Number.POSITIVE_INFINITY };
  return { known: () => anyone, verify: async () => anyone };
}

export interface TokenAuthenticatorOptions {
  keys: KeySet;
  issuer: string;
  audience: string;
  tokensCachedMax: number;
  clock: Clock;
  /** The clock of an issuer may differ from ours by this: it counts for the beginning (`nbf`) and the end (`exp`) of a token. */
  clockToleranceMs: number;
  /** The list of revoked tokens. With a list every token needs an id, because a token without an id could not be revoked. */
  revoked?: RevokedTokens | undefined;
  limits?: RateLimits | undefined;
  onOutage?: (() => void) | undefined;
  /** Client certificates as an alternative to tokens. */
  certificates?: ClientCertificates | undefined;
}

interface VerifiedToken {
  authorization: string;
  identity: Identity;
}

/** The end of the signature is the key of the cache: it differs between tokens, and is faster to hash than a whole token. A hit is compared in full. */
function tail(authorization: string): string {
  return authorization.slice(-24);
}

/** Verifies JSON Web Tokens, and remembers verified tokens until they expire. */
export class TokenAuthenticator implements Authenticator {
  readonly #options: TokenAuthenticatorOptions;
  readonly #verified: Generations<VerifiedToken>;
  readonly certified: Authenticator['certified'];

  constructor(options: TokenAuthenticatorOptions) {
    this.#options = options;
    this.#verified = new Generations<VerifiedToken>(options.tokensCachedMax, CACHE_AGE_MS, options.clock.now());
    const { certificates } = options;
    this.certified = certificates && ((certificate) => certificates.identify(certificate));
  }

  known(authorization: string): Identity | undefined {
    const verified = this.#verified.get(tail(authorization));
    if (verified === undefined || verified.authorization !== authorization) return undefined;
    return verified.identity.expiresAt <= this.#options.clock.now() ? undefined : verified.identity;
  }

  async verify(authorization: string): Promise<Identity> {
    if (authorization === '')
      throw new TokenError(
        this.certified === undefined
          ? 'the Authorization header is missing'
          : 'there is neither an Authorization header nor a client certificate',
      );
    const token = BEARER.exec(authorization)?.[1];
    if (token === undefined) throw new TokenError('the Authorization header is not "Bearer <JWT>"');
    const { keys, issuer, audience, clock, clockToleranceMs, revoked, limits, onOutage } = this.#options;
    const now = clock.now();
    const { payload, key } = await jwtVerify(token, keys.find, {
      issuer,
      audience,
      algorithms,
      requiredClaims: revoked === undefined ? ['exp', 'store'] : ['exp', 'store', 'jti'],
      currentDate: new Date(now),
      clockTolerance: clockToleranceMs / 1_000,
    }).catch((error: Error) => {
      if (!isOutage(error)) throw new TokenError(reasonOf(error), { cause: error });
      onOutage?.();
      throw error;
    });
    if (typeof payload.store !== 'string') throw new TokenError('the claim "store" is not a string');
    const { store, exp = 0, iat, jti: tokenId, sub: device } = payload;
    const identity: Identity = {
      store,
      expiresAt: exp * 1_000 + clockToleranceMs,
      tokenId,
      device,
      issuedAt: iat === undefined ? undefined : iat * 1_000,
      keyMark: keys.markOf(key as CryptoKey),
      ...limits?.limitsOf(store, device ?? tokenId ?? store, now),
    };
    const why = this.ended(identity);
    if (why !== undefined) throw new TokenError(why);
    this.#verified.set(tail(authorization), { authorization, identity }, now);
    return identity;
  }

  ended(identity: Identity): string | undefined {
    const { clock, keys } = this.#options;
    const { expiresAt, keyMark } = identity;
    const credential = keyMark === undefined ? 'client certificate' : 'token';
    if (expiresAt <= clock.now()) return `the ${credential} is expired`;
    if (this.#options.certificates?.isTrusted(identity) === false) return WITHDRAWN;
    if (this.isRevoked(identity)) return `the ${credential} has been revoked`;
    // The key may have been removed while the token was being verified.
    if (keyMark !== undefined && !keys.isTrusted(keyMark))
      return 'the key that signed the token is not trusted any more';
    return undefined;
  }

  isRevoked(identity: Identity): boolean {
    return isRevoked(this.#options.revoked, identity);
  }

  /** The keys have changed, so every token is verified again when it is next used. */
  forgetVerified(): void {
    this.#verified.deleteWhere(() => true);
  }

  /** Removes revoked tokens and certificates of withdrawn authorities from the cache, so that the hot path need not look at the lists. */
  forgetRevoked(): void {
    this.#verified.deleteWhere(({ identity }) => this.isRevoked(identity));
    this.#options.certificates?.forgetRevoked();
  }

  readiness(): string | undefined {
    return this.#options.keys.missing();
  }

  trouble(): string | undefined {
    return this.#options.keys.trouble() ?? this.#options.revoked?.trouble?.();
  }

  close(): void {
    this.#options.revoked?.close();
    this.#options.keys.close();
  }
}

/** The key server is down, or its answer is invalid. jose reports an invalid answer with its generic code. */
function isOutage(error: Error): boolean {
  if (!(error instanceof errors.JOSEError)) return true;
  return ['ERR_JWKS_TIMEOUT', 'ERR_JWKS_INVALID', 'ERR_JOSE_GENERIC'].includes(error.code);
}

/** The fault of the token, in words for the sender. */
function reasonOf(error: Error): string {
  if (error instanceof errors.JWTExpired) return 'the token is expired';
  if (error instanceof errors.JWTClaimValidationFailed)
    return `the claim "${error.claim}" is missing or not the required one`;
  if (error instanceof errors.JOSEAlgNotAllowed) return `the algorithm is not one of ${algorithms.join(', ')}`;
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'the signature does not match';
  if (error instanceof errors.JWKSNoMatchingKey) return 'no key of the issuer has the key id of the token';
  return 'the token could not be verified';
}
