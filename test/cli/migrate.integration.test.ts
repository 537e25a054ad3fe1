import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { loadConfig } from '../../contracts/config/config.ts';
import { BoundedPool } from '../../store/database/bounded-pool.ts';
import { databaseOf } from '../../store/database/connection/database-server.ts';
import { roleStatements } from '../../store/schema/role-statements.ts';
import { ordermesh } from '../support/ordermesh.ts';
import { createEmptyDatabase, type TestDatabase, uniqueName } from '../support/servers.ts';

const LIMIT_MS = 240_000;
const owner = uniqueName('owner').replaceAll('-', '_');
const worker = uniqueName('worker').replaceAll('-', '_');
let database: TestDatabase;

beforeAll(async () => {
  database = await createEmptyDatabase();
  await database.sql.unsafe(roleStatements()).simple();
  await database.sql.unsafe(`create role ${owner} login password 'secret' in role ordermesh_owner`);
  await database.sql.unsafe(`create role ${worker} login password 'secret' in role ordermesh_worker`);
}, LIMIT_MS);
afterAll(async () => {
  await database?.sql.unsafe(`drop role ${owner}; drop role ${worker}`).simple();
  await database?.[Symbol.asyncDispose]();
}, LIMIT_MS);

function urlAs(login: string, password = 'secret'): string {
  const url = new URL(database.url);
  url.username = login;
  url.password = password;
  return url.href;
}

async function hasTables(): Promise<boolean> {
  const [row] = await database.sql<{ has: boolean }[]>`select to_regclass('orders') is not null as has`;
  return row?.has === true;
}

test(
  '`ordermesh migrate` plans, migrates as the owner, and does nothing the second time; a worker is refused by name',
  async () => {
    const refused = await ordermesh(['migrate'], { DATABASE_URL: urlAs(worker) });
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toContain(`${worker} lacks a right (permission denied for schema public)`);
    expect(refused.stderr).not.toContain('secret');
    expect(await hasTables()).toBe(false);

    const env = { DATABASE_URL: urlAs(worker), ORDERMESH_MIGRATION_DATABASE_URL: urlAs(owner) };
    const planned = await ordermesh(['migrate', '--dry-run'], env);
    expect(planned).toMatchObject({ code: 0, stderr: '' });
    expect(planned.stdout).toMatch(/^would apply 0001-menu\.sql$/m);
    expect(planned.stdout).toMatch(/^the database is at version 0$/m);
    expect(await hasTables()).toBe(false);

    const done = await ordermesh(['migrate', '--json'], env);
    expect(done).toMatchObject({ code: 0, stderr: '' });
    const { version, applied, contracts, grants } = JSON.parse(done.stdout);
    expect(applied).toContain('0001-menu.sql');
    expect(version).toBe(Number.parseInt(applied.at(-1), 10));
    expect(contracts).toEqual([]);
    expect(grants).toContain('grant SELECT on orders to ordermesh_intake');
    expect(await hasTables()).toBe(true);

    const again = await ordermesh(['migrate'], env);
    expect(again).toMatchObject({ code: 0, stdout: `the database is now at version ${version}\n`, stderr: '' });
  },
  LIMIT_MS,
);

test(
  'a password that was changed at the server counts as soon as the file of the URL has it',
  async () => {
    const directory = await mkdtemp(join(tmpdir(), 'ordermesh-url-'));
    const file = join(directory, 'database-url');
    await writeFile(file, urlAs(worker));
    const server = databaseOf(loadConfig({ DATABASE_URL_FILE: file }));
    if (server === undefined) throw new Error('DATABASE_URL_FILE names no database');
    const application = uniqueName('rotation');
    const pool = new BoundedPool({ server, connections: 1, application, answerMsMax: 30_000 });
    const whoAmI = () => pool.call(async (sql) => (await sql<{ me: string }[]>`select current_user as me`)[0]?.me);
    try {
      expect(await whoAmI()).toBe(worker);
      await database.sql.unsafe(`alter role ${worker} password 'changed'`);
      // The connection that exists stays, as the guide says.
      expect(await whoAmI()).toBe(worker);
      await database.sql`select pg_terminate_backend(pid) from pg_stat_activity where application_name = ${application}`;
      await vi.waitFor(() => expect(whoAmI()).rejects.toThrow(`refuses the password of ${worker}`), {
        timeout: 60_000,
        interval: 100,
      });
      await writeFile(file, urlAs(worker, 'changed'));
      await vi.waitFor(async () => expect(await whoAmI()).toBe(worker), { timeout: 60_000, interval: 100 });
    } finally {
      await pool.close();
      await rm(directory, { recursive: true, force: true });
    }
  },
  LIMIT_MS,
);
