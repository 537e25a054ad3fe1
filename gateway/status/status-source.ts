// The database as the source of statuses. Opened by gateway.ts.

import { BoundedPool, type DatabaseServer, orderStatus } from '../../store/index.ts';
import type { StatusLookup } from './status-reader.ts';

/** Longer than a reader waits. It frees the places of queries on a connection that broke without a message. */
const ANSWER_MS_MAX = 5_000;

export interface StatusSource {
  lookup: StatusLookup;
  /** Why questions for statuses get 503, for `/readyz`: `none` without a database, or why the last question failed. Orders are taken all the same. */
  trouble(): string | undefined;
  close(): Promise<void>;
}

/** Reads statuses from the database. Connects at the first question, so the gateway starts without a database. */
export function databaseStatus(server: DatabaseServer | undefined): StatusSource {
  if (server === undefined) {
    const lookup = () => Promise.reject(new Error('DATABASE_URL is not set'));
    return { lookup, trouble: () => 'none; questions for the status of orders get 503', close: async () => {} };
  }
  const pool = new BoundedPool({
    server,
    connections: 4,
    application: 'ordermesh-gateway',
    answerMsMax: ANSWER_MS_MAX,
  });
  let trouble: string | undefined;
  return {
    async lookup(orderId, storeId) {
      try {
        const status = await pool.call((database) => orderStatus(database, orderId, storeId));
        trouble = undefined;
        return status;
      } catch (error) {
        trouble = `the last question for a status failed: ${(error as Error).message}`;
        throw error;
      }
    },
    trouble: () => trouble,
    close: () => pool.close(),
  };
}
