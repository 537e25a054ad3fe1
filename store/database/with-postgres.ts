// A database connection for the time of one command.

import { setImmediate as afterInput, setTimeout as sleep } from 'node:timers/promises';
import { createClient } from './connection/client.ts';
import { type DatabaseServer, spokenAddress } from './connection/database-server.ts';
import { explainRefusal, isRefusal } from './connection/refusal.ts';
import { connectDatabase, type Database } from './database.ts';

export interface PostgresSource {
  server: DatabaseServer;
  /** The variable that has the URL; the error names it when PostgreSQL does not answer. */
  variable: 'DATABASE_URL' | 'ORDERMESH_PAYMENT_LEDGER_URL' | 'ORDERMESH_MIGRATION_DATABASE_URL';
}

/** In milliseconds. */
export interface PostgresLimits {
  connectMsMax: number;
  /** How often PostgreSQL is asked for an answer while a command works. */
  askEveryMs: number;
  silenceMsMax: number;
}

const usual: PostgresLimits = { connectMsMax: 10_000, askEveryMs: 3_000, silenceMsMax: 15_000 };
/** The driver counts in seconds here. */
const END_SECONDS_MAX = 5;

/**
 * For commands: runs `use` with a few connections, and closes them.
 * @throws naming PostgreSQL and the variable when it can't be reached or stops answering. The driver itself waits for an answer without
 *   limit.
 */
export async function withPostgres<T>(
  source: PostgresSource,
  use: (sql: Database) => Promise<T>,
  limits: PostgresLimits = usual,
): Promise<T> {
  const { connectMsMax } = limits;
  const sql = connectDatabase({ server: source.server, connections: 4, application: 'ordermesh-cli', connectMsMax });
  const watch = watchAnswers(source, limits);
  try {
    return await Promise.race([work(source, sql, use), watch.silence]);
  } finally {
    await Promise.all([watch.close(), sql.end({ timeout: watch.isSilent() ? 0 : END_SECONDS_MAX })]);
  }
}

async function work<T>(source: PostgresSource, sql: Database, use: (sql: Database) => Promise<T>): Promise<T> {
  try {
    await sql`select 1`;
  } catch (error) {
    throw /^(E|CONNECT)[A-Z_]+$/.test(codeOf(error)) && !isRefusal(error)
      ? noAnswer(source, error)
      : explained(source, error);
  }
  try {
    return await use(sql);
  } catch (error) {
    // Only the driver's own codes, because `use` may also ask other servers and read files.
    throw /^CONNECT(ION)?_[A-Z]+$/.test(codeOf(error)) ? noAnswer(source, error) : explained(source, error);
  }
}

/** Asks on a connection of its own, because a long statement keeps the command's connections busy. */
function watchAnswers(source: PostgresSource, { connectMsMax, askEveryMs, silenceMsMax }: PostgresLimits) {
  const { server } = source;
  // Without the driver's query for types: if the connection is given up meanwhile, its failure is not caught.
  const sql = createClient(server, {
    max: 1,
    connectMsMax,
    fetch_types: false,
    connection: { application_name: 'ordermesh-cli-watch' },
  });
  const closing = new AbortController();
  const { signal } = closing;
  let silent = false;
  const silence = (async () => {
    for (;;) {
      await sleep(askEveryMs, undefined, { signal });
      silent = await Promise.race([
        sql`select 1`.then(
          () => false,
          // Any other error also reaches the command, which throws it.
          (error) => codeOf(error) === 'CONNECT_TIMEOUT',
        ),
        // After this process has stood still, the answer may be unread in its socket.
        sleep(silenceMsMax, undefined, { signal }).then(() => afterInput(true)),
      ]);
      if (silent) throw noAnswer(source, new Error('it has stopped answering'));
    }
  })();
  // `close` rejects it when the command is done. Real silence is thrown by the race in `withPostgres`.
  silence.catch(() => {});
  return {
    silence,
    isSilent: () => silent,
    async close() {
      closing.abort();
      await sql.end({ timeout: 0 });
    },
  };
}

function noAnswer({ server, variable }: PostgresSource, cause: unknown): Error {
  return new Error(`PostgreSQL at ${spokenAddress(server)} (${variable}) does not answer`, { cause });
}

function explained({ server }: PostgresSource, error: unknown): unknown {
  explainRefusal(error, server);
  return error;
}

function codeOf(error: unknown): string {
  const code = error instanceof Error ? (error as { code?: unknown }).code : undefined;
  return typeof code === 'string' ? code : '';
}
