import { execFile, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createProducer } from '../../kafka/index.ts';
import { kafkaEnvironment, servers, uniqueName } from '../support/servers.ts';
import { committedTotal, createScene, readTopic, type Scene, until } from './harness.ts';

/* This tests the page's code blocks: each `ts` block becomes the file that it is named after; each `sql` block is run before the actors. */
const root = fileURLToPath(new URL('../../', import.meta.url));
let directory: string;
let tables: string[];

beforeAll(async () => {
  const page = await readFile(path.join(root, 'docs/writing-an-actor.md'), 'utf8');
  await mkdir(path.join(root, '.cache'), { recursive: true });
  // As deep as the imports in the blocks need.
  directory = await mkdtemp(path.join(root, '.cache/docs-'));
  for (const [, name = '', code = ''] of page.matchAll(/^```ts (\S+)\n(.*?)^```$/gms))
    await writeFile(path.join(directory, name), code);
  tables = [...page.matchAll(/^```sql\n(.*?)^```$/gms)].map(([, statement = '']) => statement);
});

afterAll(() => rm(directory, { recursive: true }));

test('the page’s blocks pass the project’s type check', async () => {
  const settings = { extends: '../../tsconfig.json', include: ['*.ts'], exclude: [] };
  await writeFile(path.join(directory, 'tsconfig.json'), JSON.stringify(settings));
  const tsc = path.join(root, 'node_modules/typescript/bin/tsc');
  const { stdout } = await promisify(execFile)(process.execPath, [tsc, '-p', directory, '--listFilesOnly']);
  const checked = stdout.split('\n').filter((file) => file.startsWith(directory));
  expect(checked.map((file) => path.basename(file)).toSorted()).toEqual([
    'geocoding-actor.ts',
    'receipts-actor.ts',
    'receipts-role.ts',
    'routing-actor.ts',
  ]);
  await expect(promisify(execFile)(process.execPath, [tsc, '-p', directory])).resolves.toMatchObject({ stdout: '' });
});

async function send(topic: string, values: Record<string, string>): Promise<void> {
  const producer = await createProducer({ clientId: 'test', cluster: servers().cluster, deadlineMs: 20_000 });
  await producer.send(Object.entries(values).map(([key, value]) => ({ topic, key, value })));
  await producer.close();
}

async function run(scene: Scene, actor: string, settings: unknown, values: Record<string, string>): Promise<void> {
  for (const table of tables) await scene.database.sql.unsafe(table);
  await send(scene.topic, values);
  await scene.start({ actorModule: pathToFileURL(path.join(directory, actor)), settings: settings as object });
  await until(
    () => committedTotal(scene),
    (total) => total === Object.keys(values).length,
  );
  expect(await readTopic(scene.admin, scene.deadLetters)).toEqual([]);
}

const orderIds = Array.from({ length: 50 }, (_, index) => `order-${index}`);

test('each paid order gets one receipt, with the number that is stored', async () => {
  await using scene = await createScene();
  const receipts = uniqueName('receipts');
  await scene.admin.createTopics([{ topic: receipts, partitions: 3, replicationFactor: 1 }]);
  for (const table of tables) await scene.database.sql.unsafe(table);
  const paid = orderIds.map((orderId, total) => [orderId, JSON.stringify({ orderId, total })]);
  await send(scene.topic, Object.fromEntries(paid));
  const role = spawn(process.execPath, [path.join(directory, 'receipts-role.ts'), scene.topic, receipts], {
    env: { ...process.env, DATABASE_URL: scene.database.url, ...kafkaEnvironment() },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const ended = new Promise((resolve) => role.once('exit', resolve));
  const finished = (count: number) =>
    until(
      () => committedTotal({ ...scene, group: 'receipts' }),
      (total) => total === count,
    );
  await finished(50);
  // A second delivery, as after a crash before the commit, repeats the receipts and gives out no new number.
  await send(scene.topic, Object.fromEntries(paid.slice(0, 10)));
  await finished(60);
  role.kill('SIGTERM');
  expect(await ended).toBe(0);
  const stored = await scene.database.sql<
    { order_id: string; number: number }[]
  >`select order_id, number from receipts`;
  const numbers = new Map(stored.map(({ order_id, number }) => [order_id, number]));
  expect([...numbers.keys()].toSorted()).toEqual(orderIds.toSorted());
  const sent = await readTopic(scene.admin, receipts);
  expect(sent.length).toBe(60);
  for (const { key, value } of sent)
    expect(JSON.parse(String(value))).toEqual({ orderId: String(key), number: numbers.get(String(key)) });
  await scene.admin.deleteTopics([receipts]);
});

test('an actor that waits asks once for each order, and an outage of the other side parks nothing', async () => {
  await using scene = await createScene();
  const keys: unknown[] = [];
  let refused = 0;
  const geocoder = createServer(async (request, response) => {
    if (refused++ < 3) return response.writeHead(503).end();
    keys.push(request.headers['idempotency-key']);
    const address = Buffer.concat(await request.toArray()).toString();
    return response.end(`place of ${address}`);
  });
  await new Promise<void>((resolve) => geocoder.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(geocoder.address() as AddressInfo).port}`;
  const orders = orderIds.map((orderId) => [orderId, JSON.stringify({ address: `street of ${orderId}` })]);
  await run(scene, 'geocoding-actor.ts', { geocoder: url }, Object.fromEntries(orders));
  expect(keys.toSorted()).toEqual(orderIds.toSorted());
  const rows = await scene.database.sql<{ order_id: string; place: string }[]>`select order_id, place from places`;
  expect(new Map(rows.map(({ order_id, place }) => [order_id, place]))).toEqual(
    new Map(orderIds.map((orderId) => [orderId, `place of street of ${orderId}`])),
  );
  geocoder.closeAllConnections();
  geocoder.close();
});

test('an actor that computes', async () => {
  await using scene = await createScene();
  await run(scene, 'routing-actor.ts', null, { 'order-1': '[3,-1,2]', 'order-2': '[]', 'order-3': '[5,1,9,4]' });
  const rows = await scene.database.sql<{ length: number }[]>`select length from rounds order by order_id`;
  expect(rows.map(({ length }) => length)).toEqual([8, 0, 18]);
});
