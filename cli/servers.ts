import { type Admin, createAdmin } from '../kafka/index.ts';
import { connectDatabase, type Database } from '../store/database.ts';
import { migrate } from '../store/migrate.ts';
import type { ConnectedConfig } from './environment.ts';
import { say } from './output.ts';

/** Runs `use` with a connection of the schema of this version, and closes it. */
export async function withDatabase<T>(config: ConnectedConfig, use: (sql: Database) => Promise<T>): Promise<T> {
  const sql = connectDatabase({ url: config.DATABASE_URL, connections: 4, application: 'ordermesh-cli' });
  try {
    await migrate(sql, { onWait: say });
    return await use(sql);
  } finally {
    await sql.end({ timeout: 5 });
  }
}

export async function withAdmin<T>(config: ConnectedConfig, use: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = await createAdmin({ clientId: 'ordermesh-cli', brokers: config.KAFKA_BROKERS });
  try {
    return await use(admin);
  } finally {
    await admin.close();
  }
}
