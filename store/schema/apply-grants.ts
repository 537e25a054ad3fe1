// Gives the group roles exactly the rights of the table in grants.ts. Called by migrate.ts after the migrations.

import type { Database } from '../database/database.ts';
import { allGrants, type Grant, type GroupRole, groupRoles, schemas, tableRights } from './grants.ts';

/**
 * Grants what is missing and revokes what is too much, in one transaction, for the group roles that exist. A database without them is left
 * alone, and so is a table that does not exist yet.
 * @returns the statements
 */
export async function applyGrants(
  database: Database,
  { owner, dryRun }: { owner: GroupRole | undefined; dryRun: boolean },
): Promise<string[]> {
  const roles = await existingRoles(database);
  if (roles.size === 0) return [];
  const present = await presentTables(database);
  const wanted = allGrants().filter(({ table, role }) => roles.has(role) && present.has(table));
  const current = await currentGrants(database, [...roles]);
  const key = ({ table, role, privilege }: Grant) => `${privilege} on ${table} to ${role}`;
  const wantedKeys = new Set(wanted.map(key));
  const currentKeys = new Set(current.map(key));
  const statements = [
    ...(await schemaUsage(database, [...roles])),
    ...wanted.filter((grant) => !currentKeys.has(key(grant))).map((grant) => `grant ${key(grant)}`),
    ...current
      .filter((grant) => !wantedKeys.has(key(grant)))
      .map(({ table, role, privilege }) => `revoke ${privilege} on ${table} from ${role}`),
  ];
  if (statements.length > 0 && !dryRun) {
    const setRole = owner === undefined ? '' : `set local role ${owner};\n`;
    await database.unsafe(`set local lock_timeout = '5s';\n${setRole}${statements.join(';\n')}`).simple();
  }
  return statements;
}

async function existingRoles(database: Database): Promise<Set<GroupRole>> {
  const names = Object.keys(groupRoles).filter((name) => name !== 'ordermesh_owner');
  const rows = await database<{ name: GroupRole }[]>`
    select rolname as name from pg_roles where rolname = any(${names}::name[])`;
  return new Set(rows.map(({ name }) => name));
}

async function presentTables(database: Database): Promise<Set<string>> {
  const rows = await database<{ name: string }[]>`
    select name from unnest(${Object.keys(tableRights)}::text[]) as name where to_regclass(name) is not null`;
  return new Set(rows.map(({ name }) => name));
}

/** What the roles may do now with the tables of grants.ts. */
async function currentGrants(database: Database, roles: string[]): Promise<Grant[]> {
  return await database<Grant[]>`
    select name as "table", r.rolname as role, acl.privilege_type as privilege
    from unnest(${Object.keys(tableRights)}::text[]) as name
    join pg_class c on c.oid = to_regclass(name)
    cross join aclexplode(c.relacl) as acl
    join pg_roles r on r.oid = acl.grantee
    where r.rolname = any(${roles}::name[])`;
}

async function schemaUsage(database: Database, roles: string[]): Promise<string[]> {
  const rows = await database<{ schema: string; role: string }[]>`
    select n.nspname as schema, role
    from pg_namespace n cross join unnest(${roles}::text[]) as role
    where n.nspname = any(${[...schemas]}::name[]) and not has_schema_privilege(role, n.oid, 'usage')`;
  return rows.map(({ schema, role }) => `grant usage on schema ${schema} to ${role}`);
}
