// The database as the source of menus. Opened by gateway.ts.

import type { Availability, ItemState } from '../../contracts/menu/availability.ts';
import type { RecordProducer } from '../../kafka/index.ts';
import {
  AvailabilityError,
  BoundedPool,
  changeAvailability,
  type DatabaseServer,
  readMenuStates,
  readStoreMenu,
} from '../../store/index.ts';
import { announceMenus } from './announce.ts';
import { MenuRefusal, type MenuSource } from './menu-source.ts';

const ANSWER_MS_MAX = 3_000;
const CONNECTIONS = 2;

export interface DatabaseMenusOptions {
  server: DatabaseServer | undefined;
  /** The producer of the intake; a change is one record. */
  producer: Pick<RecordProducer, 'send'>;
  /** URI reference of this gateway, for events. */
  source: string;
  /** ORDERMESH_MENU_REPLAY_WINDOW. */
  windowMs: number;
}

/** Connects at the first request, so the gateway starts without a database. Taking orders depends on nothing here. */
export function databaseMenus(options: DatabaseMenusOptions): MenuSource & { close(): Promise<void> } {
  const { server, producer, source, windowMs } = options;
  if (server === undefined) {
    const missing = () => Promise.reject(new Error('DATABASE_URL is not set'));
    return { read: missing, change: missing, close: async () => {} };
  }
  const pool = new BoundedPool({
    server,
    connections: CONNECTIONS,
    application: 'ordermesh-gateway-menus',
    answerMsMax: ANSWER_MS_MAX,
  });

  async function store(storeId: string, sku: string, change: Availability): Promise<ItemState> {
    try {
      return await pool.call((database) => changeAvailability(database, { ...change, storeId, sku, windowMs }));
    } catch (error) {
      if (!(error instanceof AvailabilityError)) throw error;
      const { message, field } = error;
      throw field === undefined
        ? new MenuRefusal('not-found', message)
        : new MenuRefusal('invalid-menu-change', message, [field]);
    }
  }

  return {
    read: (storeId, at) => pool.call((database) => readStoreMenu(database, storeId, at)),
    async change(storeId, sku, change) {
      const state = await store(storeId, sku, change);
      // Also when nothing has changed: an earlier attempt may have stored the change without telling it.
      const read = () => pool.call((database) => readMenuStates(database, storeId));
      await announceMenus({ read, producer, source });
      return state;
    },
    close: () => pool.close(),
  };
}
