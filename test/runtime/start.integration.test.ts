import { expect, test } from 'vitest';
import { deadLetterHeaders } from '../../contracts/headers.ts';
import { mergedScrape } from '../../telemetry/metrics.ts';
import { committedTotal, createScene, effectsByKey, ordersOver, readTopic, until } from './harness.ts';

test('an actor with apply() is refused without a database, naming the variable', async () => {
  await using scene = await createScene(1);
  await expect(scene.start({ database: undefined })).rejects.toThrow('DATABASE_URL');
});

test.each([
  ['no-export', /no-export-actor\.ts must export createActor\(context\)/],
  ['throwing', /createActor\(\) of .*throwing-actor\.ts failed: no such menu/],
  ['never-ready', /createActor\(\) of .*never-ready-actor\.ts was not done after 1 s/],
  ['looping', /looping-actor\.ts or its createActor\(\) never returned: its event loop stood still/],
  ['exiting', /exiting-actor\.ts ended its thread while it started: worker exited with code: 4/],
  [
    'shapeless',
    /aply\(\) of the actor of .*shapeless-actor\.ts is never called; an actor has decode, prepare, prepareAtOnce, apply, close/,
  ],
  ['missing', /missing-actor\.ts can't be imported/],
])('the actor module %s is refused, saying why', async (name, message) => {
  await using scene = await createScene(1);
  const actorModule = new URL(`./actors/${name}-actor.ts`, import.meta.url);
  await expect(scene.start({ actorModule, slotSilenceMsMax: 1_000 })).rejects.toThrow(message);
});

test.each([
  ['no-outputs', /apply\(\) returned undefined for 1 items/],
  ['forget-statement', /not sent: "delete from effects"; await every statement/],
] as const)('an actor that does %s fails, without effects, for these messages alone', async (act, message) => {
  await using scene = await createScene();
  await scene.send([...ordersOver(20, 40), { key: 'wrong', n: 0, act }]);
  await scene.start();
  await until(
    () => committedTotal(scene),
    (total) => total === 41,
  );
  const effects = await effectsByKey(scene.database.sql);
  expect(effects.size).toBe(20);
  expect(effects.has('wrong')).toBe(false);
  const parked = await readTopic(scene.admin, scene.deadLetters);
  expect(parked.map(({ headers }) => String(headers[deadLetterHeaders.error]))).toEqual([
    expect.stringMatching(message),
  ]);
});

test('an actor that only decodes needs no database; metrics of all threads are one scrape', async () => {
  await using scene = await createScene();
  const orders = ordersOver(100, 5_000);
  await scene.send(orders);
  const actorModule = new URL('./actors/decoding-actor.ts', import.meta.url);
  const runtime = await scene.start({ database: undefined, actorModule });
  await until(
    () => committedTotal(scene),
    (total) => total === orders.length,
  );
  const text = await mergedScrape(await runtime.metrics());
  expect(text).toMatch(/ordermesh_runtime_messages_total\{.*\} 5000/);
  expect(text.match(/ordermesh_runtime_event_loop_utilization\{/g)?.length).toBe(2);
});
