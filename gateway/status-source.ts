import { connectDatabase } from '../store/database.ts';
import { orderStatus } from '../store/order-status.ts';
import type { StatusLookup } from './status-reader.ts';

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
  const database = connectDatabase({ url, connections: 4, application: 'ordermesh-gateway' });
  return {
    lookup: (orderId, storeId) => orderStatus(database, orderId, storeId),
    close: () => database.end({ timeout: 1 }),
  };
}
