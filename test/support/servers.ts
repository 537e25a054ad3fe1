import { randomBytes } from 'node:crypto';
import { loadConfig } from '../../contracts/config/config.ts';
import { clusterOf, type KafkaCluster } from '../../contracts/config/kafka-cluster.ts';
import { connectDatabase, type Database } from '../../store/database/database.ts';
import { migrate } from '../../store/schema/migrate.ts';

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
  url: string;
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
  const admin = connectDatabase({ server: servers().databaseUrl, connections: 1, application: 'test-set-up' });
  await admin.unsafe(`create database ${name}`);
  const url = new URL(servers().databaseUrl);
  url.pathname = `/${name}`;
  const sql = connectDatabase({ server: url.href, connections: 4, application: 'test' });
  return {
    url: url.href,
    sql,
    async [Symbol.asyncDispose]() {
      await sql.end();
      await admin.unsafe(`drop database ${name} with (force)`);
      await admin.end();
    },
  };
}

/** A name no other test uses. */
export function uniqueName(prefix: string): string {
  return `${prefix}-${randomBytes(6).toString('hex')}`;
}
