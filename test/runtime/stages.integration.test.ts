import { expect, test } from 'vitest';
import type { RuntimeInspection } from '../../runtime/host/runtime-view.ts';
import { mergedScrape } from '../../telemetry/metrics.ts';
import type { StageName } from '../../telemetry/stages/stage.ts';
import { readStages, stageCosts, type ThreadCost } from '../../telemetry/stages/stage-costs.ts';
import { uniqueName } from '../support/servers.ts';
import { createScene, ordersOver, until } from './harness.ts';

const ORDERS = 600;
/** Stages of a slot. */
const busyOnly: readonly StageName[] = ['schedule', 'decode', 'decide', 'encode'];
const alsoWaiting: readonly StageName[] = ['transfer', 'prepare', 'store', 'produce'];

/** What all slots have counted of a stage, together. */
function ofSlots({ slots }: RuntimeInspection, stage: StageName) {
  const totals = slots.flatMap(({ thread }) => thread?.stages.stages.filter((total) => total.stage === stage) ?? []);
  return {
    messages: totals.reduce((sum, { messages }) => sum + messages, 0),
    busySeconds: totals.reduce((sum, { busySeconds }) => sum + busySeconds, 0),
    waitSeconds: totals.reduce((sum, { waitSeconds }) => sum + waitSeconds, 0),
  };
}

function ofMain(costs: readonly ThreadCost[], stage: StageName) {
  return costs.find(({ thread }) => thread === 'main')?.stages.find((one) => one.stage === stage);
}

test('each stage of a real runtime counts every message, and a reader of its metrics gets the costs', async () => {
  await using scene = await createScene();
  const outputTopic = uniqueName('outputs');
  await scene.admin.createTopics([{ topic: outputTopic, partitions: 3, replicationFactor: 1 }]);
  const runtime = await scene.start({ settings: { outputTopic } });
  await until(
    () => runtime.readiness(),
    (reason) => reason === undefined,
  );
  const reading = async () => readStages(await mergedScrape(await runtime.metrics()));
  const before = await reading();
  await scene.send(ordersOver(100, ORDERS));
  // The last step of a message in its slot.
  await until(
    async () => ofSlots(await runtime.inspect(), 'produce').messages,
    (messages) => messages >= ORDERS,
  );
  const inspection = await runtime.inspect();
  for (const stage of [...busyOnly, ...alsoWaiting]) {
    const { messages, busySeconds } = ofSlots(inspection, stage);
    expect(messages, stage).toBe(ORDERS);
    expect(busySeconds, stage).toBeGreaterThan(0);
  }
  for (const stage of alsoWaiting) expect(ofSlots(inspection, stage).waitSeconds, stage).toBeGreaterThan(0);

  const costs = await until(
    async () => stageCosts(before, await reading()),
    (threads) => ofMain(threads, 'commit')?.messages === ORDERS,
  );
  expect(ofMain(costs, 'fetch')?.messages).toBeGreaterThanOrEqual(ORDERS);
  for (const stage of ['pack', 'transfer', 'schedule'] as const)
    expect(ofMain(costs, stage)?.messages, stage).toBe(ORDERS);
  for (const stage of ['fetch', 'pack', 'transfer', 'schedule', 'commit'] as const)
    expect(ofMain(costs, stage)?.cpuSeconds, stage).toBeGreaterThan(0);
  for (const stage of ['fetch', 'commit'] as const) expect(ofMain(costs, stage)?.waitMs, stage).toBeGreaterThan(0);
  for (const { thread, cpuSeconds, explainedSeconds } of costs) {
    expect(explainedSeconds, thread).toBeGreaterThan(0);
    expect(explainedSeconds, thread).toBeLessThanOrEqual(cpuSeconds);
  }
  await scene.admin.deleteTopics([outputTopic]);
});
