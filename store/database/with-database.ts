// Database connections for the time of one command.

import type { Config, ConnectedConfig } from '../../contracts/config/config.ts';
import { ensureSchema } from '../schema/ready-database.ts';
import { type DatabaseConfig, serverAt } from './connection/database-server.ts';
import type { Database } from './database.ts';
import { withPostgres } from './with-postgres.ts';

/**
 * For commands: runs `use` with connections to a database that has the schema of this version, and closes them. A login that owns the tables
 * migrates first; what the migration waits for is printed on standard error.
 * @throws when PostgreSQL stops answering, or when the schema is another one and the login may not migrate
 */
export function withDatabase<T>(
  config: DatabaseConfig & Pick<ConnectedConfig, 'DATABASE_URL'> & Partial<Pick<Config, 'ORDERMESH_MIGRATE'>>,
  use: (sql: Database) => Promise<T>,
): Promise<T> {
  const server = serverAt(config.DATABASE_URL, config);
  return withPostgres({ server, variable: 'DATABASE_URL' }, async (sql) => {
    await ensureSchema(sql, { migrates: config.ORDERMESH_MIGRATE !== 'off', onWait: console.error });
    return use(sql);
  });
}
