import { mkdtempSync, rmSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { StoreMenu } from '../../../contracts/menu/store-menu.ts';
import { MenuKeeper } from '../../../edge/menu/menu-keeper.ts';
import { newOrder, storeId } from '../order.ts';

const START = Date.parse('2026-12-01T18:00:00.000Z');
const MINUTE_MS = 60_000;
const at = (minutes: number) => new Date(START + minutes * MINUTE_MS).toISOString();

/** A menu with one item, in force from some minutes after the start. */
function menu(price: number, fromMinutes: number, change: Partial<StoreMenu> = {}): StoreMenu {
  return {
    storeId,
    version: price,
    menuVersion: 7,
    revision: 3,
    effectiveAt: at(fromMinutes),
    name: 'Lakeside',
    timezone: 'UTC',
    opens: '06:00',
    closes: '23:00',
    currency: 'USD',
    items: [
      {
        sku: 'cheeseburger',
        name: 'Cheeseburger',
        category: 'grill',
        price,
        modifiers: [{ sku: 'bacon', name: 'Bacon', price: 50 }],
      },
    ],
    unavailable: [],
    ...change,
  };
}

let directory: string;
let said: string[];
let nowMs: number;
let answers: (readonly StoreMenu[] | 'unchanged' | Error)[];
let asked: (string | undefined)[];
const keepers: MenuKeeper[] = [];
const path = () => join(directory, 'menu.json');

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'menu-'));
  [said, answers, asked, nowMs] = [[], [], [], START];
});
afterEach(async () => {
  for (const keeper of keepers.splice(0)) await keeper.close();
  rmSync(directory, { recursive: true });
});

/** A keeper that has asked the region once. */
async function opened(...told: typeof answers): Promise<MenuKeeper> {
  answers.push(...told);
  const keeper = new MenuKeeper({
    region: {
      async read(_, etag) {
        asked.push(etag);
        const answer = answers.shift() ?? new Error('the line is down');
        if (answer instanceof Error) throw answer;
        return answer === 'unchanged' ? answer : { menus: [...answer], etag: `"${asked.length}"` };
      },
    },
    storeId,
    path: path(),
    refreshMs: MINUTE_MS,
    logger: pino({ base: null }, { write: (line: string) => void said.push(JSON.parse(line).msg) }),
    clock: { now: () => nowMs },
  });
  keepers.push(keeper);
  keeper.refresh();
  await vi.waitFor(() => expect(asked.length).toBeGreaterThan(0));
  await new Promise((resolve) => setImmediate(resolve));
  return keeper;
}

const order = (unitPrice: number, minutes = 0, sku = 'cheeseburger') =>
  newOrder({ placedAt: at(minutes), items: [{ sku, quantity: 1, unitPrice }], total: unitPrice });

test('without a menu every order fits, and the agent says so', async () => {
  const keeper = await opened();
  expect(keeper.faults(order(1))).toEqual([]);
  expect([keeper.version, keeper.ageMs, keeper.remark()]).toEqual([0, undefined, expect.stringMatching(/^none yet/)]);
  expect(said).toEqual(["the store's menu cannot be read; the last one stays"]);
});

test('an order is refused for what the region would reject, with a pointer to each field', async () => {
  const keeper = await opened([menu(599, -60)]);
  expect(keeper.faults(order(599))).toEqual([]);
  expect(keeper.faults(order(500))).toEqual([
    { pointer: '/items/0/unitPrice', detail: 'cheeseburger costs 599, not 500' },
  ]);
  expect(keeper.faults(order(599, 0, 'gold')).map(({ pointer }) => pointer)).toEqual(['/items/0/sku']);
  expect(keeper.faults({ ...order(599), total: 1 }).map(({ pointer }) => pointer)).toEqual(['/total']);
  expect(keeper.faults({ ...order(599), currency: 'EUR' }).map(({ pointer }) => pointer)).toEqual(['/currency']);
  expect(keeper.faults({ ...order(1), storeId: 'us-ny-0002' })).toEqual([]);
});

test('a planned price counts from its time on, while the line is down', async () => {
  const keeper = await opened([menu(599, -60, { until: at(30) }), menu(649, 30, { until: at(90) })]);
  expect([keeper.faults(order(649)).length, keeper.version]).toEqual([1, 599]);
  nowMs = START + 40 * MINUTE_MS;
  expect([keeper.faults(order(649, 35)), keeper.faults(order(599, 20)), keeper.version]).toEqual([[], [], 649]);
  expect(keeper.faults(order(599, 35))).toHaveLength(1);
  // A version that the agent has not got: the region decides.
  nowMs = START + 100 * MINUTE_MS;
  expect([keeper.faults(order(1, 95)), keeper.version]).toEqual([[], 0]);
  expect(keeper.remark()).toMatch(/^the version of now is not known/);
});

test('an order from before the menu that is kept is left to the region', async () => {
  const keeper = await opened([menu(599, -10)]);
  expect(keeper.faults(order(1, -11))).toEqual([]);
});

test('an 86 counts for orders placed after it, until the region says otherwise', async () => {
  const keeper = await opened([menu(599, -60)]);
  const out = [{ sku: 'bacon', since: at(5), reason: 'sold out' }];
  keeper.changed({ menuVersion: 7, revision: 4, unavailable: out });
  nowMs = START + 20 * MINUTE_MS;
  const bacon = (minutes: number) => {
    const items = [{ sku: 'cheeseburger', quantity: 1, unitPrice: 599, modifiers: [{ sku: 'bacon', unitPrice: 50 }] }];
    return newOrder({ placedAt: at(minutes), items, total: 649 });
  };
  expect(keeper.faults(bacon(4))).toEqual([]);
  expect(keeper.faults(bacon(6))).toEqual([{ pointer: '/items/0', detail: 'bacon is not available: sold out' }]);
  // A message that was overtaken, and one that is no such message.
  keeper.changed({ menuVersion: 7, revision: 3, unavailable: [] });
  keeper.changed({ menuVersion: 7, revision: 9, unavailable: 'none' });
  expect(keeper.faults(bacon(6))).toHaveLength(1);
  keeper.changed({ menuVersion: 7, revision: 5, unavailable: [] });
  expect(keeper.faults(bacon(6))).toEqual([]);
});

test('another version is read from the region', async () => {
  const keeper = await opened([menu(599, -60)], [menu(649, -1)]);
  keeper.changed({ menuVersion: 8, revision: 3, unavailable: [] });
  await vi.waitFor(() => expect(keeper.faults(order(649))).toEqual([]), { timeout: 20_000 });
  expect(asked).toEqual([undefined, '"1"']);
});

test('the last menu is on the disk, with its age', async () => {
  const first = await opened([menu(599, -60)]);
  await first.close();
  nowMs = START + 12 * MINUTE_MS;
  const second = await opened();
  expect(second.faults(order(500))).toHaveLength(1);
  expect([second.ageMs, second.remark()]).toEqual([
    12 * MINUTE_MS,
    'version 599, last confirmed 12 min ago; orders are checked by it',
  ]);
  answers.push('unchanged');
  second.refresh();
  await vi.waitFor(() => expect(second.ageMs).toBe(0), { timeout: 20_000 });
  expect(second.remark()).toBeUndefined();
});

test.each([
  ['is damaged', () => '{"menus":[{'],
  ['is of another store', () => JSON.stringify({ menus: [menu(599, -60, { storeId: 'us-ny-0002' })], confirmedAt: 1 })],
  ['holds none', () => '{"menus":[]}'],
])('a file that %s is passed over, and said', async (_, content) => {
  await writeFile(path(), content());
  const keeper = await opened();
  expect(keeper.faults(order(1))).toEqual([]);
  expect(said[0]).toMatch(/^the menu on the disk cannot be used/);
  answers.push([menu(599, -60)]);
  keeper.refresh();
  await vi.waitFor(() => expect(keeper.version).toBe(599), { timeout: 20_000 });
  await keeper.close();
  expect(JSON.parse(await readFile(path(), 'utf8')).menus).toHaveLength(1);
});
