// The statements that make the roles, for an administrator of the server. Printed by `ordermesh migrate --print-roles`.

import { groupRoles, schemas, tableRights } from './grants.ts';

/**
 * SQL that an administrator runs once in the database, before `ordermesh migrate`: the group roles, the owner's right to make tables, and
 * the hand-over of tables from the time of one role. It may be run again.
 */
export function roleStatements(): string {
  const groups = Object.entries(groupRoles).map(([name, what]) => `  -- ${what}\n  ${createRole(name)}`);
  const tables = Object.keys(tableRights).map((name) => `'${name}'`);
  return `-- Roles of Ordermesh. Run as an administrator, in the database of the mesh; it may be run again.
do $$
declare
  each record;
begin
${groups.join('\n')}
  -- The owner makes the tables, and the schemas beside public.
  execute format('grant connect, create on database %I to ordermesh_owner', current_database());
  grant usage, create on schema public to ordermesh_owner;
  -- Tables from the time of one role for everything get the new owner.
  for each in
    select c.oid::regclass as name, c.relkind from pg_class c
    where c.oid in (select to_regclass(name) from unnest(array[${tables.join(', ')}]) as name)
      and c.relowner <> 'ordermesh_owner'::regrole
  loop
    execute format('alter %s %s owner to ordermesh_owner', case each.relkind when 'v' then 'view' else 'table' end, each.name);
  end loop;
  for each in
    select p.oid::regprocedure as name from pg_proc p
    where p.pronamespace = 'public'::regnamespace and p.proname in ('hold_epochs', 'settled_of')
      and p.proowner <> 'ordermesh_owner'::regrole
  loop
    execute format('alter function %s owner to ordermesh_owner', each.name);
  end loop;
  for each in
    select nspname as name from pg_namespace
    where nspname in (${schemas.map((name) => `'${name}'`).join(', ')}) and nspowner <> 'ordermesh_owner'::regrole
  loop
    execute format('alter schema %I owner to ordermesh_owner', each.name);
  end loop;
end
$$;

-- For \`ordermesh region\`, which asks standbys how far they are and promotes one:
-- grant pg_monitor to ordermesh_operator;
-- grant execute on function pg_promote(boolean, integer) to ordermesh_operator;

-- The logins, one for each kind of process, with passwords or certificates of yours:
-- create role mesh_migrate login password '…' in role ordermesh_owner;
-- create role mesh_intake login password '…' in role ordermesh_intake;
-- All workers share one login: a worker ends sessions of a worker that stands still and holds locks.
-- create role mesh_worker login password '…' in role ordermesh_worker;
-- create role mesh_display login password '…' in role ordermesh_display;
-- create role mesh_operator login password '…' in role ordermesh_operator;
`;
}

function createRole(name: string): string {
  return `if to_regrole('${name}') is null then create role ${name} nologin; end if;`;
}
