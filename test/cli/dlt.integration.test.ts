import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { committedTotal, createScene, effectsByKey, type Scene, until } from '../runtime/harness.ts';
import { ordermesh, startOrdermesh } from '../support/ordermesh.ts';
import { kafkaEnvironment } from '../support/servers.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

const healingActor = new URL('../runtime/actors/healing-actor.ts', import.meta.url);
const [mended, hopeless, plain] = ['mended', 'hopeless', 'plain'].map((name) => `order-${name}`) as [
  string,
  string,
  string,
];
const stores = { [mended]: 'us-il-0001', [hopeless]: 'us-ny-0002', [plain]: 'us-ny-0002' };

let scene: Scene;
let dataDir: string;
let sent = 0;

beforeAll(async () => {
  dataDir = await mkdtemp(path.join(tmpdir(), 'ordermesh-dlt-'));
  scene = await createScene(2);
  await scene.database.sql`create table healed (key text primary key)`;
  await scene.start({ actorModule: healingActor });
});
afterAll(async () => {
  await scene[Symbol.asyncDispose]();
  await rm(dataDir, { recursive: true });
});

async function send(key: string, first: number, count: number, poison: readonly number[] = []): Promise<void> {
  await scene.send(
    Array.from({ length: count }, (_, index) => ({
      key,
      orderId: key,
      storeId: stores[key],
      n: first + index,
      ...(poison.includes(first + index) ? { poison: true } : {}),
    })),
  );
  sent += count;
  await until(
    () => committedTotal(scene),
    (total) => total === sent,
  );
}

const environment = () => ({
  ORDERMESH_DATA_DIR: dataDir,
  ...kafkaEnvironment(),
  DATABASE_URL: scene.database.urlAs('operator'),
});
const dlt = (...args: string[]) => ordermesh(['dlt', ...args], environment());

async function json(...args: string[]): Promise<unknown> {
  const { stdout, stderr } = await dlt(...args, '--json');
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout);
}

test('from a parked order to a released one, with its story told', async () => {
  await send(mended, 0, 3, [0]);
  await send(hopeless, 0, 2, [0]);
  expect(await json('list', '--store', 'us-il-0001')).toMatchObject([
    { key: mended, store: 'us-il-0001', reason: 'RangeError', state: 'parked', attempts: 4, behind: null },
    { key: mended, state: 'parked', attempts: 0 },
    { key: mended, state: 'parked', attempts: 0 },
  ]);
  expect(await json('list', '--counts')).toEqual([
    { group: scene.group, reason: 'RangeError', state: 'parked', messages: 5, orders: 2 },
  ]);
  const list = await dlt('list');
  expect(list.stdout).toContain(`RangeError (4 attempts): order 0 can't be made`);
  expect(list.stdout).toMatch(/^5 messages of 2 orders$/m);
  expect(await json('list', '--since', '2000-01-01T00:00:00Z', '--until', '2001-01-01T00:00:00Z')).toEqual([]);

  const bulk = await dlt('replay', '--reason', 'RangeError');
  expect(bulk.code).toBe(2);
  expect(bulk.stderr).toMatch(/would replay 5 messages of 2 orders: add --yes to do it, or --dry-run to look first/);
  expect((await dlt('replay', '--reason', 'RangeError', '--dry-run')).stdout).toMatch(
    /^would replay 5 messages of 2 orders.*\n {2}order-hopeless .*@\d+/,
  );
  expect(await json('log')).toEqual([]);

  // It fails as before, and stays in front.
  const failed = await dlt('replay', mended, '--as', 'alice');
  expect(failed.code).toBe(1);
  expect(failed.stdout).toBe('0 messages replayed, 1 failed again\n');
  expect(failed.stderr).toMatch(/order order-mended: .*failed again: RangeError: order 0 can't be made/);

  const patch = path.join(dataDir, 'patch.json');
  await writeFile(patch, JSON.stringify([{ op: 'remove', path: '/poison' }]));
  const wrong = await dlt('replay', mended, '--edit', '[{"op":"replace","path":"/orderId","value":"x"}]', '--why', 'x');
  expect(wrong.code).toBe(2);
  expect(wrong.stderr).toMatch(/orderId is "x" after the edit; it must stay order-mended/);
  const missing = await dlt('replay', mended, '--edit', '[{"op":"remove","path":"/poisson"}]', '--why', 'x');
  expect(missing.stderr).toMatch(/operation 0 of the patch \(remove \/poisson\) fails: MissingError/);
  const done = await dlt(
    'replay',
    mended,
    '--edit',
    patch,
    '--why',
    'the till sent a flag',
    '--as',
    'alice',
    '--rate',
    '20',
  );
  expect(done.stderr).toMatch(/^act 2: 3 messages of 1 order to replay$/m);
  expect(done.stdout).toBe('3 messages replayed, 0 failed again\n');
  expect(done.code).toBe(0);
  expect((await effectsByKey(scene.database.sql)).get(mended)).toEqual([0, 1, 2]);

  const shown = await dlt('show', mended);
  expect(shown.stdout).toMatch(/failed again after 4 attempts: RangeError: order 0 can't be made \(act 1, alice\)/);
  expect(shown.stdout).toMatch(/content edited \(act 2, alice: the till sent a flag\)/);
  expect(await json('show', mended, '--offset', '99')).toEqual([]);
  expect(await json('log', '2')).toMatchObject({
    act: 2,
    kind: 'replay',
    operator: 'alice',
    selection: { orderId: mended },
    ratePerSecond: 20,
    replayed: 3,
    failed: 0,
    keysLeft: 0,
    messages: [{ event: 'edited' }, ...Array(3).fill({ event: 'replay' }), ...Array(3).fill({ event: 'replayed' })],
  });
  expect((await dlt('replay', mended)).stdout).toBe('nothing of that is parked\n');

  expect((await dlt('discard', hopeless, '--why', 'x')).stderr).toMatch(
    /would discard 2 messages of 1 order: add --yes/,
  );
  expect((await dlt('discard', hopeless, '--why', 'guest left', '--yes')).stdout).toBe('act 3: 2 messages discarded\n');
  await until(
    () => scene.database.sql`select 1 from parked_keys where released_at is null`,
    (rows) => rows.length === 0,
  );
  await send(hopeless, 2, 1);
  expect((await effectsByKey(scene.database.sql)).get(hopeless)).toEqual([2]);
  expect((await dlt('log')).stdout).toMatch(/3 +\S+ +\S+ +discard +orderId=order-hopeless +2 discarded +guest left/);
});

test('the command killed in the middle of a replay: it goes on, and asking again joins it', async () => {
  await send(plain, 0, 12, [0]);
  await scene.database.sql`insert into healed values (${plain})`;
  const child = startOrdermesh(['dlt', 'replay', plain, '--rate', '3'], environment());
  await until(
    () => scene.database.sql`select 1 from dead_letters where key = ${plain} and state = 'replayed'`,
    (rows) => rows.length > 0,
  );
  child.kill('SIGKILL');
  await once(child, 'exit');
  const again = await dlt('replay', plain);
  expect(again.code).toBe(0);
  expect(again.stdout).toMatch(/^(12 messages replayed, 0 failed again|nothing of that is parked)\n$/);
  await send(plain, 12, 1);
  expect((await effectsByKey(scene.database.sql)).get(plain)).toEqual(Array.from({ length: 13 }, (_, n) => n));
});

test('an editor mends a message', async () => {
  const key = 'order-edited';
  await send(key, 0, 2, [0]);
  const editor = path.join(dataDir, 'editor.sh');
  await writeFile(editor, '#!/bin/sh\nsed -i "s/\\"poison\\": true/\\"poison\\": false/" "$2"\n', { mode: 0o700 });
  const unchanged = await ordermesh(['dlt', 'replay', key, '--edit', '--why', 'x'], {
    ...environment(),
    EDITOR: 'true',
  });
  expect(unchanged.stderr).toMatch(/was not changed: nothing was done/);
  const none = await ordermesh(['dlt', 'replay', key, '--edit', '--why', 'x'], {
    ...environment(),
    EDITOR: '',
    VISUAL: '',
  });
  expect(none.stderr).toMatch(/set EDITOR, or give --edit a JSON patch/);
  const edited = await ordermesh(['dlt', 'replay', key, '--edit', '--why', 'x'], {
    ...environment(),
    EDITOR: `${editor} --wait`,
  });
  expect(edited.code, edited.stderr).toBe(0);
  expect((await effectsByKey(scene.database.sql)).get(key)).toEqual([0, 1]);
});

test('an order that has no dead letter: every command says so and ends with 1', async () => {
  for (const args of [['show'], ['replay'], ['discard', '--why', 'x'], ['stop']]) {
    const [command = '', ...options] = args;
    expect(await dlt(command, 'no-such-order', ...options)).toEqual({
      code: 1,
      stdout: '',
      stderr: 'no dead letter of order no-such-order\n',
    });
  }
});
