// The logins of the stack's own PostgreSQL with separate roles, and the URL of each. Used by the stack, the lab and the tests.

import type { RoleName } from '../../contracts/roles.ts';

/** For each group role of the database one login, `mesh_` and the name of the group. */
export const databaseLogins = ['owner', 'intake', 'worker', 'display', 'operator'] as const;

export type DatabaseLogin = (typeof databaseLogins)[number];

const PREFIX = 'mesh_';

export const loginName = (login: DatabaseLogin): string => PREFIX + login;

/** The login that a role works as. */
const loginOf: Partial<Record<RoleName, DatabaseLogin>> = { gateway: 'intake', display: 'display' };

/**
 * The same database as another login. A URL without the stack's logins stays as it is: its one role does everything.
 * @param login a login, or the administrator of the server
 */
export function urlAs(url: string, login: DatabaseLogin | 'administrator'): string {
  const other = new URL(url);
  if (!other.username.startsWith(PREFIX)) return url;
  other.username = login === 'administrator' ? 'postgres' : loginName(login);
  return other.href;
}

/** Variables with which a role is its own login; empty where the database has one role for everything. */
export function databaseUser(role: RoleName, url: string | undefined): Record<string, string> {
  if (url === undefined) return {};
  const own = urlAs(url, loginOf[role] ?? 'worker');
  return own === url ? {} : { DATABASE_URL: own };
}
