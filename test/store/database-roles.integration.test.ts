import { afterAll, beforeAll, expect, test } from 'vitest';
import { faultOf } from '../../runtime/outage.ts';
import { BoundedPool } from '../../store/database/bounded-pool.ts';
import { connectDatabase, type Database } from '../../store/database/database.ts';
import { allGrants, schemas, tableRights } from '../../store/schema/grants.ts';
import { migrate } from '../../store/schema/migrate.ts';
import { DatabaseNotReadyError, readyDatabase } from '../../store/schema/ready-database.ts';
import { roleStatements } from '../../store/schema/role-statements.ts';
import { createEmptyDatabase, type TestDatabase, uniqueName } from '../support/servers.ts';

let database: TestDatabase;
const logins = new Map<string, string>();
const open: Database[] = [];

beforeAll(async () => {
  database = await createEmptyDatabase();
  await database.sql.unsafe(roleStatements()).simple();
  for (const group of ['owner', 'intake', 'worker', 'display', 'operator']) {
    const login = uniqueName(group).replaceAll('-', '_');
    await database.sql.unsafe(`create role ${login} login password 'secret' in role ordermesh_${group}`);
    logins.set(group, login);
  }
});
afterAll(async () => {
  await Promise.all(open.map((sql) => sql.end()));
  await database.sql.unsafe([...logins.values()].map((login) => `drop role ${login}`).join(';')).simple();
  await database[Symbol.asyncDispose]();
});

function urlAs(group: string): string {
  const url = new URL(database.url);
  url.username = logins.get(group) ?? group;
  url.password = 'secret';
  return url.href;
}

function as(group: string): Database {
  const sql = connectDatabase({ server: urlAs(group), connections: 1, application: 'test' });
  open.push(sql);
  return sql;
}

const looking = { migrates: true, onWait: () => {} };

test('a login without the right to make tables waits for the owner, and says for what', async () => {
  const early = readyDatabase(urlAs('worker'), 'test', looking);
  await expect(early).rejects.toThrow(DatabaseNotReadyError);
  await expect(early).rejects.toThrow(/the database has no tables, this release needs \d+: run `ordermesh migrate`/);
});

test('the owner migrates, every table gets the rights of the list and no others, and a second run does nothing', async () => {
  const owner = as('owner');
  const planned = await migrate(owner, { dryRun: true });
  expect(planned.applied.length).toBeGreaterThan(10);
  const [{ exists } = { exists: true }] = await owner`select to_regclass('orders') is not null as exists`;
  expect(exists).toBe(false);
  const { applied } = await migrate(owner);
  expect(applied).toEqual(planned.applied);
  const tables = await database.sql<{ name: string; owner: string }[]>`
    select case n.nspname when 'public' then c.relname else n.nspname || '.' || c.relname end as name, r.rolname as owner
    from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_roles r on r.oid = c.relowner
    where c.relkind in ('r', 'v') and n.nspname = any(${['public', ...schemas]}::name[])`;
  expect(tables.map(({ name }) => name).sort()).toEqual(Object.keys(tableRights).sort());
  expect(new Set(tables.map(({ owner }) => owner))).toEqual(new Set(['ordermesh_owner']));
  for (const { table, role, privilege } of allGrants()) {
    const [row] = await database.sql`select has_table_privilege(${role}, ${table}, ${privilege}) as may`;
    expect([table, role, privilege, row?.may]).toEqual([table, role, privilege, true]);
  }
  expect(await migrate(owner)).toMatchObject({ applied: [], grants: [] });
  await readyDatabase(urlAs('worker'), 'test', looking);
});

test('a right too much is taken back', async () => {
  await database.sql`grant delete on orders to ordermesh_display`;
  expect((await migrate(as('owner'))).grants).toEqual(['revoke DELETE on orders from ordermesh_display']);
});

test('a role is refused what is not its work, by name, and that is an outage and no fault of a message', async () => {
  const pool = new BoundedPool({ server: urlAs('display'), connections: 1, application: 'test', answerMsMax: 10_000 });
  const failure = await pool.call((sql) => sql`delete from orders`).catch((error: unknown) => error);
  expect(faultOf(failure)).toBe('outage');
  expect(failure).toMatchObject({ code: '42501' });
  expect((failure as Error).message).toContain(
    `${logins.get('display')} lacks a right (permission denied for table orders): run \`ordermesh migrate\``,
  );
  await pool.close();
  await expect(as('worker')`create table mine (n integer)`).rejects.toThrow('permission denied for schema public');
});

test('a wrong password, an unknown database and a role without a login are told apart from a server that is away', async () => {
  const reasonOf = (change: (url: URL) => void) => {
    const url = new URL(urlAs('worker'));
    change(url);
    return readyDatabase(url.href, 'test', looking).then(
      () => 'ready',
      (error: Error) => error.message,
    );
  };
  expect(await reasonOf((url) => (url.password = 'wrong'))).toMatch(/refuses the password of worker_/);
  expect(await reasonOf((url) => (url.pathname = '/nowhere'))).toContain('has no database nowhere: create it');
  expect(await reasonOf((url) => (url.username = 'ordermesh_owner'))).toContain('ordermesh_owner');
  expect(await reasonOf((url) => (url.port = '1'))).toContain('cannot be reached');
});

test('what a newer release has added is accepted, and what it has taken away is not', async () => {
  await database.sql`insert into migrations (name) values ('9998-later.sql')`;
  await readyDatabase(urlAs('worker'), 'test', looking);
  await database.sql`insert into migrations (name) values ('9999-less.contract.sql')`;
  await expect(readyDatabase(urlAs('worker'), 'test', looking)).rejects.toThrow(
    'a newer release has taken something away from the database (9999-less.contract.sql)',
  );
  await database.sql`delete from migrations where name like '999%'`;
});
