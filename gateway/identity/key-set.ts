// The keys that tokens are verified with. Opened by authenticator.ts.

import { createHash, createPublicKey, KeyObject } from 'node:crypto';
import { type CryptoKey, createLocalJWKSet, errors, type JSONWebKeySet, type JWK, type JWTVerifyGetKey } from 'jose';
import { ConfigError } from '../../contracts/config/config.ts';
import { watchFileText } from '../../telemetry/files/watched-file.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { stateEnded } from '../../telemetry/state-log.ts';

/** When a token names a key that is not in the set, the URL is read again, at most this often. So keys can be rotated without a restart. */
const REREAD_MS = 1_000;
/** The URL is also read this often without such a token. A key that was removed is trusted for no longer than this and one check of open connections. */
const REFRESH_MS = 20_000;
const FETCH_TIMEOUT_MS = 5_000;

/** The keys that sign tokens. */
export interface KeySet {
  /** As `jwtVerify` takes it. */
  readonly find: JWTVerifyGetKey;
  /** Identifies a key by its content, whatever its id is. */
  markOf(key: CryptoKey): string;
  /** Whether a key is still in the set. */
  isTrusted(mark: string): boolean;
  /** Why no token can be verified: no keys have been read yet. `undefined` once keys have been read. */
  missing(): string | undefined;
  /** Why the keys cannot be read again, while the keys read before remain in force. */
  trouble(): string | undefined;
  close(): void;
}

export interface KeySetOptions {
  logger?: Logger;
  /** Called when the set has changed after the start. */
  onChange?: () => void;
  /** How often a URL is read. */
  refreshMs?: number;
}

/**
 * The keys from a JWKS file or URL. A file is read again when it changes, a URL every 20 s and when a token names an unknown key. While
 * file or URL cannot be read, the known keys remain in force: an outage of the issuer removes no key.
 * @throws ConfigError when the file can't be read at start.
 */
export async function keySet(location: string, options: KeySetOptions = {}): Promise<KeySet> {
  return /^https?:\/\//.test(location) ? urlKeySet(location, options) : await fileKeySet(location, options);
}

/** The keys as they were read last. */
class Keys {
  readonly #onChange: () => void;
  readonly #markOf = new WeakMap<CryptoKey, string>();
  #text: string | undefined;
  #find: JWTVerifyGetKey | undefined;
  #marks: ReadonlySet<string> = new Set();

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  get isEmpty(): boolean {
    return this.#find === undefined;
  }

  /** @throws for a text that is not a JWKS */
  take(text: string): void {
    if (text === this.#text) return;
    const jwks = JSON.parse(text) as JSONWebKeySet;
    // Without `ext`: it could forbid the export, by which the key is recognised.
    const keys = Array.isArray(jwks?.keys) ? jwks.keys.map(({ ext: _, ...key }) => key) : jwks?.keys;
    const find = createLocalJWKSet({ ...jwks, keys });
    const isFirst = this.isEmpty;
    this.#marks = new Set(keys.flatMap(markOfJwk));
    this.#find = find;
    this.#text = text;
    if (!isFirst) this.#onChange();
  }

  find(...args: Parameters<JWTVerifyGetKey>): ReturnType<JWTVerifyGetKey> {
    if (this.#find === undefined) throw new Error('the keys that sign tokens have not been read yet');
    return this.#find(...args);
  }

  isTrusted(mark: string): boolean {
    return this.#marks.has(mark);
  }

  markOf(key: CryptoKey): string {
    let mark = this.#markOf.get(key);
    if (mark === undefined) {
      mark = digest(KeyObject.from(key));
      this.#markOf.set(key, mark);
    }
    return mark;
  }
}

function markOfJwk(jwk: JWK): string[] {
  try {
    return [digest(createPublicKey({ key: jwk as Record<string, string>, format: 'jwk' }))];
  } catch {
    // Not a key, or a key of a type that signs no tokens here. No token is verified with it, so nothing is lost.
    return [];
  }
}

function digest(key: KeyObject): string {
  return createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('base64');
}

async function fileKeySet(file: string, { logger, onChange = noop }: KeySetOptions): Promise<KeySet> {
  const keys = new Keys(onChange);
  const take = (text: string) => keys.take(text);
  const watched = await watchFileText({ files: [file], what: 'the file of keys that sign tokens', take, logger }).catch(
    (error: Error) => {
      throw new ConfigError(`ORDERMESH_JWKS is ${JSON.stringify(file)}; it takes a file with a JWKS: ${error.message}`);
    },
  );
  return {
    find: async (...args) => keys.find(...args),
    markOf: (key) => keys.markOf(key),
    isTrusted: (mark) => keys.isTrusted(mark),
    missing: () => undefined,
    trouble: () => watched.trouble(),
    close: () => watched.close(),
  };
}

function urlKeySet(url: string, { logger, onChange = noop, refreshMs = REFRESH_MS }: KeySetOptions): KeySet {
  const keys = new Keys(onChange);
  /** Why the last read failed. */
  let failure: string | undefined;
  let readAt = Number.NEGATIVE_INFINITY;
  let reading: Promise<void> | undefined;

  /** One read at a time; callers that come meanwhile share its result. */
  function refresh(): Promise<void> {
    readAt = performance.now();
    reading ??= read().finally(() => {
      reading = undefined;
    });
    return reading;
  }

  async function read(): Promise<void> {
    try {
      keys.take(await textOf(url));
      if (failure !== undefined) logger?.info({ url, ...stateEnded }, 'the keys that sign tokens can be read again');
      failure = undefined;
    } catch (error) {
      if (failure === undefined)
        logger?.warn({ err: error, url }, 'the keys that sign tokens cannot be read; those read before count');
      const { message, cause } = error as Error;
      failure = cause instanceof Error ? `${message}: ${cause.message}` : message;
      throw error;
    }
  }

  // `read` has logged the reason, and the next read follows in time.
  const refreshInTime = () => void refresh().catch(noop);
  const timer = setInterval(refreshInTime, refreshMs).unref();
  refreshInTime();
  return {
    async find(...args) {
      if (keys.isEmpty) await refresh();
      try {
        return await keys.find(...args);
      } catch (error) {
        if (!(error instanceof errors.JWKSNoMatchingKey) || performance.now() - readAt < REREAD_MS) throw error;
        await refresh();
        return keys.find(...args);
      }
    },
    markOf: (key) => keys.markOf(key),
    isTrusted: (mark) => keys.isTrusted(mark),
    missing: () => (keys.isEmpty ? `the keys that sign tokens have not been read yet: ${failure ?? url}` : undefined),
    trouble: () => failure && `the keys that sign tokens cannot be read: ${failure}`,
    close: () => clearInterval(timer),
  };
}

async function textOf(url: string): Promise<string> {
  const response = await fetch(url, {
    headers: { accept: 'application/jwk-set+json, application/json' },
    signal: AbortSignal.timeout(FETCH_TIMEOUT_MS),
  });
  if (response.status !== 200) throw new Error(`${url} answers with status ${response.status}`);
  return response.text();
}

function noop(): void {}
