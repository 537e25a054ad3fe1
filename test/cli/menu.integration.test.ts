import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { MenuChanged } from '../../contracts/menu/menu-events.ts';
import { menuEventsTopic } from '../../contracts/topics.ts';
import { readTopic } from '../../kafka/index.ts';
import { testMenu } from '../actors/support.ts';
import { applyTestTopics } from '../gateway/support.ts';
import { ordermesh } from '../support/ordermesh.ts';
import { createTestDatabase, kafkaEnvironment, servers, type TestDatabase } from '../support/servers.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

const STORE = 'us-xm-0001';

let database: TestDatabase;
let directory: string;
let file: string;
beforeAll(async () => {
  await applyTestTopics();
  database = await createTestDatabase();
  directory = await mkdtemp(path.join(tmpdir(), 'ordermesh-menu-'));
  file = path.join(directory, 'menu.json');
  // The topic is shared by all tests, so the stores are this test's own.
  const [store] = testMenu().stores;
  await writeFile(file, JSON.stringify({ ...testMenu(), stores: [{ ...store, storeId: STORE }] }));
});
afterAll(async () => {
  await rm(directory, { recursive: true });
  await database[Symbol.asyncDispose]();
});

async function menu(...args: string[]) {
  const { code, stdout, stderr } = await ordermesh(['menu', ...args, '--json'], {
    ORDERMESH_DATA_DIR: directory,
    ...kafkaEnvironment(),
    DATABASE_URL: database.urlAs('operator'),
  });
  return { code, stderr, answer: stdout === '' ? undefined : JSON.parse(stdout) };
}

async function lastEvent(): Promise<MenuChanged | undefined> {
  let last: MenuChanged | undefined;
  await readTopic({ cluster: servers().cluster, topic: menuEventsTopic, clientId: 'test' }, ({ key, value }) => {
    if (String(key) === STORE) last = JSON.parse(String(value));
  });
  return last;
}

test('menus are loaded, items are 86’d, counted and restored, and each is told', async () => {
  expect(await menu('load', file)).toMatchObject({ code: 0, stderr: '', answer: { version: 1, stores: 1 } });
  const planned = await menu('load', file, '--effective', '2099-01-01T00:00:00Z');
  expect(planned.answer).toMatchObject({ version: 2, effectiveAt: '2099-01-01T00:00:00.000Z' });
  expect((await menu('list')).answer).toMatchObject([
    { version: 1, inForce: true },
    { version: 2, inForce: false },
  ]);
  expect(await lastEvent()).toMatchObject({ storeId: STORE, menuVersion: 2, revision: 0, unavailable: [] });

  const out = await menu('86', 'fries', '--store', STORE, '--reason', 'fryer broken');
  expect(out).toMatchObject({ code: 0, answer: { available: false, reason: 'fryer broken', revision: 1 } });
  expect(await lastEvent()).toMatchObject({ revision: 1, unavailable: [{ sku: 'fries', reason: 'fryer broken' }] });
  expect((await menu('stock', 'fries', '12', '--store', STORE)).answer).toMatchObject({ onHand: 12, revision: 2 });
  expect((await menu('restore', 'fries', '--store', STORE)).answer).toMatchObject({ available: true, onHand: 12 });
  expect(await lastEvent()).toMatchObject({ revision: 3, unavailable: [] });
});

test('a store or SKU that does not exist is wrong usage', async () => {
  const gold = await menu('86', 'gold', '--store', STORE);
  expect([gold.code, gold.stderr]).toEqual([2, 'ordermesh: gold is on no menu\n']);
  const nowhere = await menu('restore', 'fries', '--store', 'us-xx-0009');
  expect([nowhere.code, nowhere.stderr]).toEqual([2, 'ordermesh: there is no store us-xx-0009\n']);
});
