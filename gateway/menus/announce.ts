// Writes the events of menus. Called by database-menus.ts and by `ordermesh menu`.

import { type MenuChanged, menuEventRecord } from '../../contracts/menu/menu-events.ts';
import type { RecordProducer } from '../../kafka/index.ts';

type MenuState = Omit<MenuChanged, 'occurredAt'>;

export interface Announcement {
  /** The state of the stores in question, as the database has it now. */
  read(): Promise<readonly MenuState[]>;
  producer: Pick<RecordProducer, 'send'>;
  /** URI reference of the writer. */
  source: string;
}

/** Others may change a store between reading and writing. So often it is written again. */
const REPEATS_MAX = 5;

/**
 * Writes the state of stores to the topic. Two writers may write in another order than they read. So each reads again afterwards, and
 * writes again what is not the newest: the last record of a store is its newest state, which compaction keeps.
 */
export async function announceMenus({ read, producer, source }: Announcement): Promise<void> {
  const told = new Map<string, MenuState>();
  for (let repeat = 0; repeat <= REPEATS_MAX; repeat++) {
    const news = (await read()).filter((state) => !isSame(state, told.get(state.storeId)));
    if (news.length === 0) return;
    const occurredAt = new Date().toISOString();
    await producer.send(news.map((state) => menuEventRecord({ ...state, occurredAt }, source)));
    for (const state of news) told.set(state.storeId, state);
  }
}

function isSame(state: MenuState, other: MenuState | undefined): boolean {
  return state.revision === other?.revision && state.menuVersion === other.menuVersion;
}
