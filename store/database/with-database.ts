import type { ConnectedConfig } from '../../contracts/config.ts';
import type { Database } from './database.ts';
import { migrate } from './migrate.ts';
import { withPostgres } from './with-postgres.ts';

/**
 * Runs `use` with connections of the schema of this version, and closes them. What the migration waits for is said on standard error.
 * @throws when PostgreSQL stops answering
 */
export function withDatabase<T>(
  { DATABASE_URL: url }: Pick<ConnectedConfig, 'DATABASE_URL'>,
  use: (sql: Database) => Promise<T>,
): Promise<T> {
  return withPostgres({ url, variable: 'DATABASE_URL' }, async (sql) => {
    await migrate(sql, { onWait: console.error });
    return use(sql);
  });
}
