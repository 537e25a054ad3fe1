// Connections to PostgreSQL, and transactions on them. Used by all modules of this room.

import type postgres from 'postgres';
import { createClient } from './connection/client.ts';
import type { DatabaseServer } from './connection/database-server.ts';

/** A pool of connections. Modules of this room take it or a `Transaction`. */
export type Database = postgres.Sql;

/** An open transaction. Statements that are issued without awaiting are pipelined. */
export type Transaction = postgres.ISql;

/**
 * The SQL that an actor gets for a turn: statements (`sql` as a tag), parts of statements (`sql(rows)`, `sql(name)`), and the members `unsafe`,
 * `array`, `json`, `typed` and `types`. `StatementGate` refuses every other member at run time too, for an actor that casts.
 */
export interface TurnSql extends Transaction {
  readonly file: never;
  readonly notify: never;
}

/** The members that work inside a turn. */
export type TurnMember = { [M in keyof TurnSql]: [TurnSql[M]] extends [never] ? never : M }[keyof TurnSql];

/** A statement; it is sent when it is awaited or executed. */
export type Statement = postgres.PendingQuery<postgres.Row[]>;

export interface DatabaseOptions {
  server: DatabaseServer;
  connections: number;
  /** Shown in `pg_stat_activity`. */
  application: string;
  /** The server cancels a statement that takes longer. A statement that waits for a lock does not notice that its client has gone. */
  statementMsMax?: number;
  /** Time limit of an attempt to connect; 30 s by default. */
  connectMsMax?: number;
}

export function connectDatabase({
  server,
  connections,
  application,
  statementMsMax,
  connectMsMax,
}: DatabaseOptions): Database {
  return createClient(server, {
    max: connections,
    ...(connectMsMax === undefined ? {} : { connectMsMax }),
    connection: {
      application_name: application,
      ...(statementMsMax === undefined ? {} : { statement_timeout: statementMsMax }),
    },
    // Otherwise the driver prints notices to the console.
    onnotice: () => {},
  });
}

/**
 * One transaction on a connection of the pool: committed when `work` resolves, rolled back when it rejects. It replaces the driver's
 * `begin` (3.4), which sends its rollback even on a connection that has closed; the write to the closed socket then ends the process as an
 * uncaught exception. Here, after a loss, the driver waits for an end of `work` that never comes, and the caller has the connection's error
 * already.
 * @param mode as in PostgreSQL's `begin`, for example `isolation level repeatable read read only`
 */
export async function inTransaction<T>(
  database: Database,
  work: (sql: postgres.TransactionSql) => Promise<T>,
  mode = '',
): Promise<T> {
  let lost = false;
  const outcome = database.begin(mode, async (sql) => {
    try {
      return await work(sql);
    } catch (error) {
      // The statement's error arrives before the connection's error.
      await new Promise(setImmediate);
      return lost ? new Promise<never>(() => {}) : Promise.reject(error);
    }
  }) as Promise<T>;
  // The caller gets the error from `outcome`.
  outcome.catch(() => {
    lost = true;
  });
  return outcome;
}
