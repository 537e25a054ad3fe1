import { BoundedPool, orderStatus } from '../../store/index.ts';
import type { StatusLookup } from './status-reader.ts';

/** Later than a reader gives up: a connection that broke in silence must not keep its places for ever. */
const ANSWER_MS_MAX = 5_000;

export interface StatusSource {
  lookup: StatusLookup;
  close(): Promise<void>;
}

/** Statuses from the database. It is connected to when the first question comes, so the gateway starts without it. */
export function databaseStatus(url: string | undefined): StatusSource {
  if (url === undefined) {
    const lookup = () => Promise.reject(new Error('DATABASE_URL is not set'));
    return { lookup, close: async () => {} };
  }
  const pool = new BoundedPool({ url, connections: 4, application: 'ordermesh-gateway', answerMsMax: ANSWER_MS_MAX });
  return {
    lookup: (orderId, storeId) => pool.call((database) => orderStatus(database, orderId, storeId)),
    close: () => pool.close(),
  };
}
