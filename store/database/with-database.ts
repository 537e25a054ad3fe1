import { say } from '../../cli/output.ts';
import { type Admin, createAdmin } from '../../kafka/index.ts';
import type { ConnectedConfig } from '../../stack/environment.ts';
import type { Database } from './database.ts';
import { migrate } from './migrate.ts';
import { withPostgres } from './with-postgres.ts';

/** Runs `use` with connections of the schema of this version, and closes them. @throws when PostgreSQL stops answering */
export function withDatabase<T>(config: ConnectedConfig, use: (sql: Database) => Promise<T>): Promise<T> {
  return withPostgres({ url: config.DATABASE_URL, variable: 'DATABASE_URL' }, async (sql) => {
    await migrate(sql, { onWait: say });
    return use(sql);
  });
}

export async function withAdmin<T>(config: ConnectedConfig, use: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = await createAdmin({ clientId: 'ordermesh-cli', brokers: config.KAFKA_BROKERS });
  try {
    return await use(admin);
  } finally {
    await admin.close();
  }
}
