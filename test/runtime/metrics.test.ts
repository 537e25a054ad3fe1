import { readFile } from 'node:fs/promises';
import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { createHostMetrics } from '../../runtime/host-metrics.ts';
import { createSlotMetrics } from '../../runtime/slot-metrics.ts';

test('the page of metrics names every metric of the runtime, and no other', async () => {
  const host = createHostMetrics(new Registry(), {
    partitions: () => [],
    held: () => 0,
    outages: () => 0,
    now: () => 0,
  }).registry;
  const slot = createSlotMetrics('role', 0).registry;
  const metrics = [...host.getMetricsAsArray(), ...slot.getMetricsAsArray()].map(({ name }) => name);
  const page = await readFile(new URL('../../docs/runtime-metrics.md', import.meta.url), 'utf8');
  const named = [...page.matchAll(/`(ordermesh_runtime_[a-z_]+)`/g)].map(([, name]) => name);
  expect([...new Set(named)].sort()).toEqual(metrics.sort());
});
