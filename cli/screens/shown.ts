import { databaseConfig } from '../../stack/environment.ts';
import { type Database, type ScreenRow, withDatabase } from '../../store/index.ts';

/** Connects to the database of the screens for one command. */
export async function withScreens(use: (sql: Database) => Promise<void>): Promise<void> {
  await withDatabase(await databaseConfig(), use);
}

/** A screen for `--json`. Times are RFC 3339. */
export function shown(screen: ScreenRow) {
  const { screenId, name, storeId, createdAt, seenAt, expiresAt, revokedAt } = screen;
  return {
    id: screenId,
    name,
    store: storeId ?? null,
    createdAt: createdAt.toISOString(),
    seenAt: seenAt?.toISOString() ?? null,
    expiresAt: expiresAt.toISOString(),
    revokedAt: revokedAt?.toISOString() ?? null,
  };
}
