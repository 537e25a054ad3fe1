import { MenuRefusal, type MenuSource } from '../../../gateway/menus/menu-source.ts';
import { storeId } from '../support.ts';

/** The menu of one store, which has one item. */
export const oneItemMenus: MenuSource = {
  async read(store) {
    if (store !== storeId) return undefined;
    const [effectiveAt, open] = ['2026-11-22T00:00:00.000Z', '00:00'];
    const item = { sku: 'fries', name: 'Fries', category: 'sides', price: 249, modifiers: [] };
    const menu = {
      version: 1,
      menuVersion: 1,
      revision: 0,
      effectiveAt,
      name: 'Lakeside',
      timezone: 'UTC',
      opens: open,
      closes: open,
      currency: 'USD',
    };
    return { storeId, ...menu, items: [item], unavailable: [{ sku: 'fries', since: effectiveAt, reason: 'sold out' }] };
  },
  async change(_, sku) {
    if (sku !== 'fries') throw new MenuRefusal('not-found', `${sku} is on no menu`);
    return { storeId, sku, available: true, onHand: 1, revision: 1 };
  },
};
