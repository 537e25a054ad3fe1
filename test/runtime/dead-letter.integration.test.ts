import { expect, test } from 'vitest';
import { committedTotal, createScene, effectsByKey, ordersOver, readTopic, until } from './harness.ts';

test('poison: three retries, then parked with its followers in order, over a restart too; other keys go on', async () => {
  await using scene = await createScene();
  await scene.send([
    ...ordersOver(50, 500),
    { key: 'bad', n: 0 },
    { key: 'bad', n: 1, act: 'poison' },
    { key: 'bad', n: 2 },
    ...ordersOver(50, 500).map((order) => ({ ...order, n: order.n + 10 })),
    { key: 'bad', n: 3 },
  ]);
  const first = await scene.start();
  await until(
    () => committedTotal(scene),
    (total) => total === 1_004,
  );
  await first.close();
  await scene.send([
    { key: 'bad', n: 4 },
    { key: 'good', n: 0 },
  ]);
  await scene.start();
  await until(
    () => committedTotal(scene),
    (total) => total === 1_006,
  );

  const effects = await effectsByKey(scene.database.sql);
  expect(effects.get('bad')).toEqual([0]);
  expect(effects.get('good')).toEqual([0]);
  expect(effects.size).toBe(52);
  for (let key = 0; key < 50; key++) expect(effects.get(`key-${key}`)?.length).toBe(20);

  const letters = await readTopic(scene.admin, scene.deadLetters);
  expect(letters.map(({ key, value }) => [String(key), JSON.parse(String(value))])).toEqual([
    ['bad', { n: 1, act: 'poison' }],
    ['bad', { n: 2 }],
    ['bad', { n: 3 }],
    ['bad', { n: 4 }],
  ]);
  const headers = letters.map((letter) =>
    Object.fromEntries(Object.entries(letter.headers).map(([name, value]) => [name, String(value)])),
  );
  const [poison] = headers;
  expect(poison).toMatchObject({
    trace: 't-1',
    'dlt-reason': 'RangeError',
    'dlt-error': "order 1 can't be made",
    'dlt-attempts': '4',
    'dlt-topic': scene.topic,
    'dlt-partition': String(letters[0]?.partition),
  });
  expect(Date.parse(poison?.['dlt-first-failed-at'] ?? '')).toBeGreaterThan(Date.now() - 120_000);
  expect(headers.map((one) => one['dlt-behind'])).toEqual([undefined, ...Array(3).fill(poison?.['dlt-offset'])]);
  const [row] = await scene.database.sql`select key, first_offset, attempts from parked_keys`;
  expect(row).toEqual({ key: 'bad', first_offset: poison?.['dlt-offset'], attempts: 4 });
});
