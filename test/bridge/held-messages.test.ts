import { Registry } from 'prom-client';
import { expect, test, vi } from 'vitest';
import { HeldMessages } from '../../bridge/warehouse/held-messages.ts';
import { warehouseMetrics } from '../../bridge/warehouse/warehouse-metrics.ts';
import { eventsTable, parkedTable } from '../../bridge/warehouse/warehouse-schema.ts';
import { loadConfig } from '../../contracts/config/config.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { failed, insertAllServer, inserted } from './big-query.ts';
import { publishedEvent, testEvent } from './events.ts';

const soon = { timeout: 20_000 };

test('a message is acknowledged once its row is in the table of events or in the parking table', async () => {
  const tables: Record<string, string[]> = { [eventsTable]: [], [parkedTable]: [] };
  let isAway = true;
  const bad = testEvent('order.paid', 3_000);
  const { bigQuery } = await insertAllServer((ids, table) => {
    if (isAway) return failed(503, 'away');
    if (table === eventsTable && ids.includes(`${bad.orderId}/${bad.type}`)) return failed(500, 'stumbled');
    tables[table]?.push(...ids);
    return inserted();
  });
  let restored = 0;
  const held: HeldMessages = new HeldMessages({
    dataset: bigQuery.dataset('d'),
    config: loadConfig({}),
    metrics: warehouseMetrics(new Registry(), { held: () => 0, suspects: () => 0 }),
    logger: createLogger('test', 'silent'),
    restoreTables: () => void restored++,
  });
  const acknowledged: string[] = [];
  const add = (id: string, message: { data: Buffer; attributes: Record<string, string> }) =>
    held.add({ ...message, id, ack: () => void acknowledged.push(id) });
  const good = testEvent('order.paid', 3_000);
  add('good', publishedEvent(good, 1));
  add('bad', publishedEvent(bad, 1));
  add('no event', { data: Buffer.from('hello'), attributes: {} });
  await vi.waitFor(() => expect(restored).toBeGreaterThanOrEqual(2), soon);
  expect(held.problem).toContain('503');
  expect(held.counts).toEqual({ messages: 3, bytes: good.value.length + bad.value.length + 'hello'.length });
  expect(acknowledged).toEqual([]);
  isAway = false;
  await vi.waitFor(() => expect(acknowledged.toSorted()).toEqual(['bad', 'good', 'no event']), soon);
  expect(new Set(tables[eventsTable])).toEqual(new Set([`${good.orderId}/${good.type}`]));
  expect(tables[parkedTable]?.toSorted()).toEqual(['bad', 'no event']);
  expect([held.counts, held.suspects, held.problem]).toEqual([{ messages: 0, bytes: 0 }, 0, undefined]);
  await held.close();
});
