// Tokens of the development issuer for those who send orders: commands, chaos and drill.

import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Config } from '../../contracts/config/config.ts';
import { UsageError } from '../../contracts/failure.ts';
import { issueToken } from './issuer.ts';

/**
 * The development issuer is made only in the data directory of a stack, or in a directory that the user names: no gateway would know an issuer
 * elsewhere, and accept its tokens.
 * @throws UsageError saying where it looked, and how to say where the issuer is
 */
export async function assertIssuer(config: Config, env: NodeJS.ProcessEnv = process.env): Promise<void> {
  const directory = path.resolve(config.ORDERMESH_DATA_DIR);
  if (config.ORDERMESH_JWKS !== undefined || existsSync(path.join(directory, 'issuer', 'private-key.json'))) return;
  const isNamed = (env.ORDERMESH_DATA_DIR ?? '') !== '';
  if (isNamed || existsSync(path.join(directory, 'stack.json')))
    console.error(
      `makes a new issuer in ${path.join(directory, 'issuer')}; gateways with this data directory take its tokens`,
    );
  else
    throw new UsageError(
      `there is no issuer in ${path.join(directory, 'issuer')}: a token of a new one would be taken by no gateway; run this where the gateway has its data, or set ORDERMESH_DATA_DIR to that directory`,
    );
}

/** Tokens of the development issuer by store, each made once; `undefined` where no token is needed. */
export function storeTokens(config: Config): (storeId: string) => Promise<string | undefined> {
  const tokens = new Map<string, Promise<string>>();
  return async (storeId) => {
    if (!config.ORDERMESH_AUTH) return undefined;
    let token = tokens.get(storeId);
    if (token === undefined) {
      token = assertIssuer(config).then(() => issueToken({ config, store: storeId }));
      tokens.set(storeId, token);
    }
    return token;
  };
}
