import { expect, test } from 'vitest';
import type { MenuChanged } from '../../../contracts/menu/menu-events.ts';
import { announceMenus } from '../../../gateway/menus/announce.ts';
import type { OutgoingRecord } from '../../../kafka/index.ts';

const state = (storeId: string, revision: number) => ({ storeId, menuVersion: 1, revision, unavailable: [] });

test('the last record of a store is its newest state, although two writers write in another order than they read', async () => {
  const states = [state('a', 1), state('b', 1)];
  const written: MenuChanged[] = [];
  let during: (() => void) | undefined = () => states.splice(0, 1, state('a', 2));
  const producer = {
    async send(records: OutgoingRecord[]) {
      // The other writer reads, writes and is done before this one writes.
      during?.();
      during = undefined;
      written.push(...records.map(({ value }) => JSON.parse(String(value))));
    },
  };
  await announceMenus({ read: async () => [...states], producer, source: '/test' });
  expect(written.map(({ storeId, revision }) => `${storeId}${revision}`)).toEqual(['a1', 'b1', 'a2']);
});
