// The database as the source of statuses. Opened by gateway.ts.

import { BoundedPool, type DatabaseServer, orderStatus } from '../../store/index.ts';
import type { StatusLookup } from './status-reader.ts';

/** Longer than a reader waits. It frees the places of queries on a connection that broke without a message. */
const ANSWER_MS_MAX = 5_000;

export interface StatusSource {
  lookup: StatusLookup;
  close(): Promise<void>;
}

/** Reads statuses from the database. Connects at the first question, so the gateway starts without a database. */
export function databaseStatus(server: DatabaseServer | undefined): StatusSource {
  if (server === undefined) {
    const lookup = () => Promise.reject(new Error('DATABASE_URL is not set'));
    return { lookup, close: async () => {} };
  }
  const pool = new BoundedPool({
    server,
    connections: 4,
    application: 'ordermesh-gateway',
    answerMsMax: ANSWER_MS_MAX,
  });
  return {
    lookup: (orderId, storeId) => pool.call((database) => orderStatus(database, orderId, storeId)),
    close: () => pool.close(),
  };
}
