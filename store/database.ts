import postgres from 'postgres';

/** A pool of connections. Room-internal modules take it or a `Transaction`. */
export type Database = postgres.Sql;

/** One open transaction; statements issued without awaiting are pipelined. */
export type Transaction = postgres.ISql;

/** Sent when it is awaited or executed. */
export type Statement = postgres.PendingQuery<postgres.Row[]>;

export interface DatabaseOptions {
  url: string;
  connections: number;
  /** Shows up in `pg_stat_activity`. */
  application: string;
  /** The server cancels a statement that takes longer, in milliseconds: one that waits for a lock does not notice that its client has gone. */
  statementMsMax?: number;
}

export function connectDatabase({ url, connections, application, statementMsMax }: DatabaseOptions): Database {
  return postgres(url, {
    max: connections,
    connection: {
      application_name: application,
      ...(statementMsMax === undefined ? {} : { statement_timeout: statementMsMax }),
    },
    onnotice: () => {},
  });
}
