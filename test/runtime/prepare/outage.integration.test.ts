import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { startToggledProxy } from '../../support/toggled-proxy.ts';
import { committedTotal, createScene, effectCount, effectsByKey, ordersOver, until } from '../harness.ts';

test('while the provider is down, cash of the same partition goes on, and cards follow in order', async () => {
  const server = createServer((_, answer) => answer.end('paid')).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const proxy = await startToggledProxy(`127.0.0.1:${(server.address() as AddressInfo).port}`);
  await using scene = await createScene(1);
  const runtime = await scene.start({
    actorModule: new URL('../actors/cash-actor.ts', import.meta.url),
    settings: { provider: `http://${proxy.address}` } as never,
  });
  proxy.interrupt();
  await scene.send(ordersOver(50, 500));
  await until(
    () => runtime.readiness(),
    (text) => text?.includes('messages that need it wait, the others go on') === true,
  );
  // Sent now, so they are fetched only if the partition is not paused.
  await scene.send(ordersOver(20, 200).map((order) => ({ ...order, key: `cash-${order.key}` })));
  await until(
    () => effectCount(scene.database.sql),
    (count) => count === 200,
  );
  expect(runtime.view().partitions.flatMap(({ paused }) => paused)).toEqual([]);
  const scrape = JSON.stringify(await runtime.metrics());
  expect(scrape).toContain('ordermesh_runtime_prepares_waiting');

  proxy.resume();
  await until(
    () => committedTotal(scene),
    (total) => total === 700,
  );
  for (const numbers of (await effectsByKey(scene.database.sql)).values())
    expect(numbers).toEqual(Array.from({ length: 10 }, (_, n) => n));
  await until(
    () => runtime.readiness(),
    (text) => text === undefined,
  );
  await runtime.close();
  await proxy.close();
  server.close();
});
