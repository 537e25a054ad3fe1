import { randomBytes } from 'node:crypto';
import { loadConfig } from '../../contracts/config/config.ts';
import { clusterOf, type KafkaCluster } from '../../contracts/config/kafka-cluster.ts';
import { type DatabaseLogin, urlAs } from '../../stack/postgres/logins.ts';
import { connectDatabase, type Database } from '../../store/database/database.ts';
import { migrate } from '../../store/schema/migrate.ts';
import { roleStatements } from '../../store/schema/role-statements.ts';

/** Addresses of the real servers that integration tests run against; the global set-up starts those that aren't configured. */
export function servers() {
  return {
    cluster: clusterOf(loadConfig({ ...kafkaEnvironment() })),
    databaseUrl: required('DATABASE_URL'),
  };
}

/** The variables with which a role reaches the shared cluster: at its own address, or at another, that of a proxy. */
export function kafkaEnvironment(...brokers: string[]): Record<string, string> {
  const security = Object.entries(process.env).filter(([name]) => /^KAFKA_(SECURITY|SASL|SSL)_/.test(name));
  const address = brokers.length > 0 ? brokers.join(',') : required('KAFKA_BROKERS');
  return { ...(Object.fromEntries(security) as Record<string, string>), KAFKA_BROKERS: address };
}

/** The shared cluster at other addresses: those of a proxy in front of it, for example. */
export function clusterAt(...brokers: string[]): KafkaCluster {
  return { ...servers().cluster, brokers };
}

function required(name: string): string {
  const value = process.env[name];
  if (value === undefined)
    throw new Error(`${name} is not set: run integration tests through vitest, whose set-up starts the servers`);
  return value;
}

export interface TestDatabase extends AsyncDisposable {
  /** As workers connect. */
  url: string;
  /** As another role connects; the same URL where the server has one role for everything. */
  urlAs(login: DatabaseLogin | 'administrator'): string;
  /** As the administrator of the server. */
  sql: Database;
}

/** A database of its own with the current schema, dropped on dispose. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const database = await createEmptyDatabase();
  await migrate(database.sql);
  return database;
}

/** The same without tables. */
export async function createEmptyDatabase(): Promise<TestDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  const { databaseUrl } = servers();
  const server = urlAs(databaseUrl, 'administrator');
  const admin = connectDatabase({ server, connections: 1, application: 'test-set-up' });
  await admin.unsafe(`create database ${name}`);
  const url = new URL(databaseUrl);
  url.pathname = `/${name}`;
  const sql = connectDatabase({ server: urlAs(url.href, 'administrator'), connections: 4, application: 'test' });
  if (hasRoles(databaseUrl)) await sql.unsafe(`${roleStatements()};\n${testTables}`).simple();
  return {
    url: urlAs(url.href, 'worker'),
    urlAs: (login) => urlAs(url.href, login),
    sql,
    async [Symbol.asyncDispose]() {
      await sql.end();
      await admin.unsafe(`drop database ${name} with (force)`);
      await admin.end();
    },
  };
}

/** Whether the server has a login for each kind of process. */
function hasRoles(url: string): boolean {
  return urlAs(url, 'owner') !== urlAs(url, 'worker');
}

/** Tables that a test makes as the administrator are for its actors too; and what operators of two regions are given beside the rights of tables. */
const testTables = `grant pg_monitor to ordermesh_operator;
grant execute on function pg_promote(boolean, integer) to ordermesh_operator;
alter default privileges grant all on tables to ordermesh_worker, ordermesh_operator, ordermesh_display, ordermesh_intake;
alter default privileges grant all on sequences to ordermesh_worker, ordermesh_operator;`;

/** A name no other test uses. */
export function uniqueName(prefix: string): string {
  return `${prefix}-${randomBytes(6).toString('hex')}`;
}
