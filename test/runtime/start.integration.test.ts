import { expect, test } from 'vitest';
import { mergedScrape } from '../../telemetry/metrics.ts';
import { committedTotal, createScene, ordersOver, until } from './harness.ts';

test('an actor with apply() is refused without a database, naming the variable', async () => {
  await using scene = await createScene(1);
  await expect(scene.start({ databaseUrl: undefined })).rejects.toThrow('DATABASE_URL');
});

test('a module without createActor is refused', async () => {
  await using scene = await createScene(1);
  const actorModule = new URL('./harness.ts', import.meta.url);
  await expect(scene.start({ actorModule })).rejects.toThrow('must export createActor');
});

test('an actor that only decodes needs no database; metrics of all threads are one scrape', async () => {
  await using scene = await createScene();
  const orders = ordersOver(100, 5_000);
  await scene.send(orders);
  const actorModule = new URL('./actors/decoding-actor.ts', import.meta.url);
  const runtime = await scene.start({ databaseUrl: undefined, actorModule });
  await until(
    () => committedTotal(scene),
    (total) => total === orders.length,
  );
  const text = await mergedScrape(await runtime.metrics());
  expect(text).toMatch(/ordermesh_runtime_messages_total\{.*\} 5000/);
  expect(text.match(/ordermesh_runtime_event_loop_utilization\{/g)?.length).toBe(2);
});
