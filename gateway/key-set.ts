import { readFile } from 'node:fs/promises';
import { createLocalJWKSet, createRemoteJWKSet, errors, type JWTVerifyGetKey } from 'jose';
import { ConfigError } from '../contracts/config.ts';

/** A key id that is not in the file makes it be read again, at most this often: keys rotate without a restart. */
const REREAD_MS = 1_000;

/**
 * The keys that sign tokens, from a JWKS file or URL, with rotation: an unknown key id makes the set be read again.
 * @throws ConfigError when the file can't be read at start.
 */
export async function keySet(location: string): Promise<JWTVerifyGetKey> {
  if (/^https?:\/\//.test(location))
    return createRemoteJWKSet(new URL(location), { cooldownDuration: REREAD_MS, timeoutDuration: 5_000 });
  return fileKeySet(location);
}

async function fileKeySet(file: string): Promise<JWTVerifyGetKey> {
  const read = async () => createLocalJWKSet(JSON.parse(await readFile(file, 'utf8')));
  let keys = await read().catch((error: Error) => {
    throw new ConfigError(`ORDERMESH_JWKS is ${JSON.stringify(file)}; it takes a file with a JWKS: ${error.message}`);
  });
  let readAt = Date.now();
  return async (header, token) => {
    try {
      return await keys(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey) || Date.now() - readAt < REREAD_MS) throw error;
      readAt = Date.now();
      // A file that is being replaced may be unreadable for a moment: the keys known so far stay.
      keys = await read().catch(() => keys);
      return keys(header, token);
    }
  };
}
