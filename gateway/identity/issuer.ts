// The development issuer: its key and its tokens. Used by authenticator.ts, and by other rooms through index.ts.

import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, type JWK, SignJWT } from 'jose';
import { type Config, ConfigError } from '../../contracts/config/config.ts';

/** The development issuer's files. The public keys are a JWKS, as a real issuer would serve it. */
export interface DevelopmentIssuer {
  privateKeyFile: string;
  jwksFile: string;
}

/**
 * The issuer that stands in for a real one until `ORDERMESH_JWKS` names it: an Ed25519 key made on first use and kept in the data
 * directory. Several processes may start at once; all of them end up with the same key.
 */
export async function developmentIssuer(dataDir: string): Promise<DevelopmentIssuer> {
  const directory = join(dataDir, 'issuer');
  const privateKeyFile = join(directory, 'private-key.json');
  const jwksFile = join(directory, 'jwks.json');
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const key = (await readKey(privateKeyFile)) ?? (await createKey(privateKeyFile));
  // Every process writes this file: all write the same content, and a rename is atomic.
  await replaceFile(jwksFile, `${JSON.stringify({ keys: [publicPart(key)] }, null, 2)}\n`, 0o644);
  return { privateKeyFile, jwksFile };
}

export interface TokenRequest {
  config: Config;
  /** The only store whose orders the token may send and read. */
  store: string;
  /** Seconds until it expires. Default: one day. */
  expiresIn?: number;
}

const DAY_S = 86_400;

/**
 * A token of the development issuer.
 * @throws ConfigError when another issuer is configured: then that issuer issues the tokens.
 */
export async function issueToken({ config, store, expiresIn = DAY_S }: TokenRequest): Promise<string> {
  if (config.ORDERMESH_JWKS !== undefined)
    throw new ConfigError('ORDERMESH_JWKS names an issuer of your own; get the token there, or unset ORDERMESH_JWKS');
  const { privateKeyFile } = await developmentIssuer(config.ORDERMESH_DATA_DIR);
  const jwk = await readKey(privateKeyFile);
  if (jwk?.kid === undefined)
    throw new Error(`${privateKeyFile} holds no key with a key id; remove it to make a new one`);
  const nowS = Math.floor(Date.now() / 1_000);
  return new SignJWT({ store })
    .setProtectedHeader({ alg: 'EdDSA', typ: 'JWT', kid: jwk.kid })
    .setIssuer(config.ORDERMESH_JWT_ISSUER)
    .setAudience(config.ORDERMESH_JWT_AUDIENCE)
    .setSubject(store)
    .setJti(randomUUID())
    .setIssuedAt(nowS)
    .setExpirationTime(nowS + expiresIn)
    .sign(await importJWK(jwk, 'EdDSA'));
}

async function readKey(file: string): Promise<JWK | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as JWK;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    if (error instanceof SyntaxError)
      throw new Error(
        `${file} holds no key; remove it to make a new one; tokens that the old key signed are then refused`,
        {
          cause: error,
        },
      );
    throw error;
  }
}

/** Makes a key unless another process was faster: a link to an existing name fails, and a file gets this name only when it is complete. */
async function createKey(file: string): Promise<JWK> {
  const { privateKey } = await generateKeyPair('EdDSA', { extractable: true });
  const jwk = await exportJWK(privateKey);
  const key: JWK = { ...jwk, kid: await calculateJwkThumbprint(jwk), alg: 'EdDSA', use: 'sig' };
  const draft = `${file}.${randomUUID()}`;
  try {
    await writeFile(draft, `${JSON.stringify(key, null, 2)}\n`, { mode: 0o600 });
    await link(draft, file);
    return key;
  } catch (error) {
    const existing = (error as NodeJS.ErrnoException).code === 'EEXIST' ? await readKey(file) : undefined;
    if (existing === undefined) throw error;
    return existing;
  } finally {
    await rm(draft, { force: true });
  }
}

function publicPart(key: JWK): JWK {
  const { d: _private, ...rest } = key;
  return rest;
}

async function replaceFile(file: string, text: string, mode: number): Promise<void> {
  const draft = `${file}.${randomUUID()}`;
  await writeFile(draft, text, { mode });
  await rename(draft, file);
}
