import { readFile } from 'node:fs/promises';
import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { createHostMetrics, type HostState } from '../../runtime/host/host-metrics.ts';
import { AssignedPartition } from '../../runtime/host/partitions/assigned-partition.ts';
import { registerPrepares } from '../../runtime/slot/prepare/prepare-metrics.ts';
import { createSlotMetrics } from '../../runtime/slot/slot-metrics.ts';
import { createProcessRegistry } from '../../telemetry/metrics.ts';

const limits = { messagesMax: 1, bytesMax: 1, windowMax: 1 };
const idle: HostState = {
  partitions: () => [],
  given: () => [],
  standing: () => undefined,
  health: () => undefined,
  outages: () => 0,
  hasFault: () => false,
  held: () => 0,
  observed: () => 0,
  now: () => 0,
};

/** Of the runtime and the stage clock. */
const families = /^ordermesh_(?:runtime|kafka|stage|thread|fetch|transfer|produce)_/;

test('the pages of metrics name every metric of the runtime, and no other', async () => {
  const host = createHostMetrics(new Registry(), idle).registry;
  const slot = createSlotMetrics('role', 0).registry;
  registerPrepares(slot, 0, { prepares: { limit: 1, inFlight: 0, waiting: 0 } });
  const shared = createProcessRegistry('role').getMetricsAsArray();
  const metrics = [...host.getMetricsAsArray(), ...slot.getMetricsAsArray(), ...shared]
    .map(({ name }) => name)
    .filter((name) => families.test(name));
  const pages = await Promise.all(
    ['runtime-metrics.md', 'operations/stage-clock.md'].map((file) =>
      readFile(new URL(`../../docs/${file}`, import.meta.url), 'utf8'),
    ),
  );
  const named = [...pages.join('\n').matchAll(/`(ordermesh_[a-z_]+)`/g)]
    .map(([, name]) => name ?? '')
    .filter((name) => families.test(name));
  expect([...new Set(named)].sort()).toEqual([...new Set(metrics)].sort());
});

test('lag and age of partitions that were lost stay until there is an assignment again, and age while the member stands', async () => {
  const lost = new AssignedPartition(4, 0, 1, limits, 0);
  lost.frontier = 10;
  lost.highWatermark = 25;
  const { registry } = createHostMetrics(new Registry(), {
    ...idle,
    given: () => [lost],
    standing: () => ({ reason: 'no answer', since: 5_000 }),
    health: () => ({
      state: 'restarting',
      since: 6_000,
      provenAt: 5_000,
      restarts: 7,
      standing: [{ reason: 'no answer', since: 5_000 }],
    }),
    now: () => 65_000,
  });
  const text = await registry.metrics();
  expect(text).toContain('ordermesh_runtime_lag{partition="4"} 15\n');
  expect(text).toContain('ordermesh_runtime_frontier_age_seconds{partition="4"} 60\n');
  expect(text).toContain('ordermesh_runtime_member_unproven_seconds 60\n');
  expect(text).toContain('ordermesh_runtime_assigned_partitions 0\n');
  expect(text).toContain('ordermesh_runtime_standing_partitions 1\n');
  expect(text).toContain('ordermesh_runtime_member_restarts_total 7\n');
});

test('a partition that only the runtime knows to stand is counted', async () => {
  const held = new AssignedPartition(4, 0, 1, limits, 0);
  const standing = { reason: 'the message at offset 7 does not finish', since: 5_000 };
  const partitions = () => [held, new AssignedPartition(5, 0, 1, limits, 0)];
  const { registry } = createHostMetrics(new Registry(), {
    ...idle,
    partitions,
    standing: (partition) => (partition === held ? standing : undefined),
  });
  expect(await registry.metrics()).toContain('ordermesh_runtime_standing_partitions 1\n');
});
