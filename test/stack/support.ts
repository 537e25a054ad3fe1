import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Config, loadConfig } from '../../contracts/config/config.ts';
import type { Stack } from '../../stack/index.ts';
import { isAlive } from '../../stack/process-identity.ts';
import { readState, type ServerRecord } from '../../stack/state.ts';
import { connectDatabase, type Database } from '../../store/database/database.ts';

export interface TemporaryDirectory extends AsyncDisposable {
  path: string;
}

/** As `mktemp -d` makes it: only its owner may enter. */
export async function temporaryDirectory(): Promise<TemporaryDirectory> {
  const directory = await mkdtemp(path.join(tmpdir(), 'ordermesh-stack-'));
  return { path: directory, [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }) };
}

const elsewhere = '127.0.0.1:1';

/** All but PostgreSQL, the quickest to start, count as configured elsewhere. */
export function postgresOnly(dataDir: string): Record<string, string> {
  return {
    ORDERMESH_DATA_DIR: dataDir,
    KAFKA_BROKERS: elsewhere,
    PUBSUB_EMULATOR_HOST: elsewhere,
    BIGQUERY_EMULATOR_HOST: elsewhere,
  };
}

export function postgresOnlyConfig(dataDir: string): Config {
  return loadConfig(postgresOnly(dataDir));
}

/** Closes the stack when the test ends, also when it fails. */
export function closing(stack: Stack): Stack & AsyncDisposable {
  return { ...stack, [Symbol.asyncDispose]: () => stack.close() };
}

export async function query<T>(stack: Stack, ask: (sql: Database) => Promise<T>): Promise<T> {
  const sql = connectDatabase({ server: stack.environment.DATABASE_URL ?? '', connections: 1, application: 'test' });
  try {
    return await ask(sql);
  } finally {
    await sql.end();
  }
}

export async function aliveServers(dataDir: string): Promise<ServerRecord[]> {
  return alive((await readState(dataDir)).servers);
}

export async function alive(servers: ServerRecord[]): Promise<ServerRecord[]> {
  const flags = await Promise.all(servers.map(isAlive));
  return servers.filter((_, index) => flags[index]);
}
