// Where the admin port of a role is, and who may read it. Used by the admin server, and by commands that ask a running role.

import { createHash, timingSafeEqual } from 'node:crypto';
import { reachableHost, urlOf } from '../local-url.ts';
import { isLoopback } from '../loopback.ts';
import { defaultAdminPort, type RoleName } from '../roles.ts';
import { type Config, ConfigError } from './config.ts';
import { type Secret, secretText } from './secret.ts';

/** The admin address of a role with this configuration, as this machine reaches it. */
export function adminUrl(config: Config, role: RoleName): URL {
  return urlOf(reachableHost(config.ORDERMESH_ADMIN_HOST), config.ORDERMESH_ADMIN_PORT ?? defaultAdminPort(role));
}

/** Headers for a request to an admin port; empty where no token is set. @throws when the file of the token cannot be read */
export function adminHeaders({
  ORDERMESH_ADMIN_TOKEN: token,
}: Pick<Config, 'ORDERMESH_ADMIN_TOKEN'>): Record<string, string> {
  return token === undefined ? {} : { authorization: `Bearer ${secretText(token)}` };
}

/** @throws ConfigError for an admin port beyond loopback that has no token */
export function assertAdminLocked({ ORDERMESH_ADMIN_HOST: host, ORDERMESH_ADMIN_TOKEN: token }: Config): void {
  if (token === undefined && !isLoopback(host))
    throw new ConfigError(
      `ORDERMESH_ADMIN_TOKEN is not set while ORDERMESH_ADMIN_HOST is ${JSON.stringify(host)}; set ORDERMESH_ADMIN_TOKEN or ORDERMESH_ADMIN_TOKEN_FILE to the token that readers of /metrics and /debug send, or ORDERMESH_ADMIN_HOST to a loopback address`,
    );
}

/**
 * Whether the Authorization header has the token: as `Bearer`, or as the password of `Basic`, which a browser can ask a person for.
 * Takes the same time for every wrong token.
 * @throws when the file of the token cannot be read
 */
export function opensAdmin(token: Secret, authorization: string): boolean {
  const [, scheme = '', credentials = ''] = /^(Bearer|Basic) +(\S+)$/i.exec(authorization) ?? [];
  const given = scheme.toLowerCase() === 'basic' ? passwordOf(credentials) : credentials;
  return timingSafeEqual(digest(given), digest(secretText(token)));
}

function passwordOf(credentials: string): string {
  const text = Buffer.from(credentials, 'base64').toString();
  return text.slice(text.indexOf(':') + 1);
}

/** Digests have one length, which the comparison needs. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
