// Holds a role or a command back until the database has the schema of this release. Called at the start of roles and by commands.

import type { Config } from '../../contracts/config/config.ts';
import { type DatabaseServer, databaseOf } from '../database/connection/database-server.ts';
import { databaseRefusal } from '../database/connection/refusal.ts';
import { connectDatabase, type Database } from '../database/database.ts';
import { migrate } from './migrate.ts';
import { schemaProblem, schemaState } from './migrations.ts';
import { mayMigrate } from './owning-role.ts';

/** The database cannot be worked with yet. The message says why and what would help. */
export class DatabaseNotReadyError extends Error {
  override name = 'DatabaseNotReadyError';
}

export interface ReadyOptions {
  /** Whether a login that owns the tables migrates by itself: `ORDERMESH_MIGRATE`. */
  migrates: boolean;
  /** What a migration waits for. */
  onWait(line: string): void;
}

/**
 * Makes sure that the database has the schema of this release. A login that owns the tables migrates, unless that is off; any other login
 * only looks. A database that a newer release has only added to is accepted.
 * @throws DatabaseNotReadyError when the schema is another one
 */
export async function ensureSchema(database: Database, { migrates, onWait }: ReadyOptions): Promise<void> {
  const state = await schemaState(database);
  const problem = schemaProblem(state);
  if (problem === undefined) return;
  if (state.foreignContracts.length > 0 || !migrates || !(await mayMigrate(database)))
    throw new DatabaseNotReadyError(problem);
  await migrate(database, { onWait });
}

const CONNECT_MS_MAX = 10_000;

/**
 * The same for a role that starts, on a connection of its own.
 * @throws DatabaseNotReadyError when the database cannot be reached, refuses the login, or has another schema
 */
export async function readyDatabase(server: DatabaseServer, application: string, options: ReadyOptions): Promise<void> {
  const database = connectDatabase({
    server,
    connections: 1,
    application: `${application}-schema`,
    connectMsMax: CONNECT_MS_MAX,
  });
  try {
    await ensureSchema(database, options);
  } catch (error) {
    throw error instanceof DatabaseNotReadyError
      ? error
      : new DatabaseNotReadyError(databaseRefusal(error, server), { cause: error });
  } finally {
    await database.end({ timeout: 0 });
  }
}

/** The database of the configuration, ready; `undefined` without one. @throws DatabaseNotReadyError */
export async function readyDatabaseOf(
  config: Config,
  application: string,
  onWait: (line: string) => void,
): Promise<DatabaseServer | undefined> {
  const server = databaseOf(config);
  if (server !== undefined)
    await readyDatabase(server, application, { migrates: config.ORDERMESH_MIGRATE === 'auto', onWait });
  return server;
}
