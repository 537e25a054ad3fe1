// As which role this login may change the schema. Used by migrate.ts and by roles that start.

import type { Database } from '../database/database.ts';
import type { GroupRole } from './grants.ts';

const OWNER: GroupRole = 'ordermesh_owner';

/**
 * The group role that owns the tables, if this login belongs to it and the role was made for this database; otherwise the login itself is
 * the owner, as in a database with one role for everything.
 */
export async function owningRole(database: Database): Promise<GroupRole | undefined> {
  const [row] = await database<{ isOwner: boolean }[]>`
    select exists (
      select from pg_roles
      where rolname = ${OWNER} and pg_has_role(current_user, oid, 'member') and has_schema_privilege(oid, 'public', 'create')
    ) as "isOwner"`;
  return row?.isOwner === true ? OWNER : undefined;
}

/** Whether this login may migrate: it owns the tables, or there are none and it may make some. */
export async function mayMigrate(database: Database): Promise<boolean> {
  const [row] = await database<{ may: boolean | null }[]>`
    select coalesce(
      (select pg_has_role(current_user, relowner, 'member') from pg_class where oid = to_regclass('migrations')),
      has_schema_privilege(current_schema(), 'create')
        or exists (
          select from pg_roles
          where rolname = ${OWNER} and pg_has_role(current_user, oid, 'member') and has_schema_privilege(oid, 'public', 'create')
        )
    ) as may`;
  return row?.may === true;
}
