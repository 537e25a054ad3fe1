// The last menu of the agent's store, on the disk. Used by menu-keeper.ts.

import { readFileSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type StoreMenu, validateStoreMenu } from '../../contracts/menu/store-menu.ts';

/** What the agent knows of its menu: the version in force when it was read, and those that were planned then, by time. */
export interface KeptMenus {
  menus: StoreMenu[];
  /** When the region last said that this is its menu, in milliseconds since 1970. */
  confirmedAt: number;
}

/** Beside the spool: a spool that is salvaged or replaced keeps the menu. */
export function menuFileOf(spoolPath: string): string {
  return join(dirname(spoolPath), 'menu.json');
}

/** @returns `undefined` without a file. @throws Error for a file that holds no menu of this store */
export function readMenuFile(path: string, storeId: string): KeptMenus | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const { menus, confirmedAt } = JSON.parse(text) as Partial<KeptMenus>;
  if (!Array.isArray(menus) || menus.length === 0 || typeof confirmedAt !== 'number')
    throw new Error(`${path} holds no menu`);
  return { menus: menus.map((menu) => checkedMenu(menu, storeId)), confirmedAt };
}

/** @throws Error that names the first fault */
export function checkedMenu(value: unknown, storeId: string): StoreMenu {
  const checked = validateStoreMenu(value);
  if (!checked.ok) throw new Error(`not a menu: ${checked.errors[0]?.pointer} ${checked.errors[0]?.detail}`);
  if (checked.value.storeId !== storeId) throw new Error(`the menu is of store ${checked.value.storeId}`);
  return checked.value;
}

/** The old file stays until the new one is on the disk as a whole. */
export async function writeMenuFile(path: string, kept: KeptMenus): Promise<void> {
  const part = `${path}.part`;
  const file = await open(part, 'w', 0o600);
  try {
    await file.writeFile(JSON.stringify(kept));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(part, path);
}

/** Whether a message of the region says what cannot be sold. */
export function isUnavailable(value: unknown): value is StoreMenu['unavailable'] {
  return (
    Array.isArray(value) && value.every(({ sku, since }) => typeof sku === 'string' && !Number.isNaN(Date.parse(since)))
  );
}
