import type { Config } from '../contracts/config.ts';
import { issueToken } from '../gateway/issuer.ts';
import { localUrl } from './local-url.ts';

/** Tokens of the development issuer by store, each made once; `undefined` where no token is needed. */
export function storeTokens(config: Config): (storeId: string) => Promise<string | undefined> {
  const tokens = new Map<string, Promise<string>>();
  return async (storeId) => {
    if (!config.ORDERMESH_AUTH) return undefined;
    let token = tokens.get(storeId);
    if (token === undefined) {
      token = issueToken({ config, store: storeId });
      tokens.set(storeId, token);
    }
    return token;
  };
}

/** Where the gateway of this configuration listens. */
export function gatewayOf(config: Config): URL {
  const scheme = config.TLS_CERT_FILE === undefined ? 'http' : 'https';
  return localUrl(config, config.ORDERMESH_GATEWAY_PORT, scheme);
}
