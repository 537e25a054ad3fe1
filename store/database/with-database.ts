import type { ConnectedConfig } from '../../contracts/config/config.ts';
import { type DatabaseConfig, serverAt } from './connection/database-server.ts';
import type { Database } from './database.ts';
import { migrate } from './migrate.ts';
import { withPostgres } from './with-postgres.ts';

/**
 * For commands: runs `use` with connections to the database, after migrating its schema to this version, and closes them. What the
 * migration waits for is printed on standard error.
 * @throws when PostgreSQL stops answering
 */
export function withDatabase<T>(
  config: DatabaseConfig & Pick<ConnectedConfig, 'DATABASE_URL'>,
  use: (sql: Database) => Promise<T>,
): Promise<T> {
  return withPostgres({ server: serverAt(config.DATABASE_URL, config), variable: 'DATABASE_URL' }, async (sql) => {
    await migrate(sql, { onWait: console.error });
    return use(sql);
  });
}
