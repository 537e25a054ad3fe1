import { expect, test } from 'vitest';
import { readStages, stageCosts } from '../../telemetry/stages/stage-costs.ts';
import { applyTestTopics, sampleOrder, startTestGateway } from './support.ts';

/** Enough for the sample of each kind of callback, whose order is no chance. */
const ORDERS = 200;

test('each stage of the gateway counts every order, and a repeat only those that it passes', async () => {
  await applyTestTopics();
  await using gateway = await startTestGateway();
  const reading = async () => readStages(await (await fetch(`${gateway.admin}/metrics`)).text());
  const before = await reading();
  // The orders come before the token is verified, which is another way to be read.
  const orders = Array.from({ length: ORDERS }, () => sampleOrder());
  const answers = await Promise.all(orders.map((order) => gateway.post(order)));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
  expect((await gateway.post(orders[0])).status).toBe(202);
  const [main] = stageCosts(before, await reading());
  const stages = new Map(main?.stages.map((stage) => [stage.stage, stage]));
  for (const stage of ['read', 'check'] as const) expect(stages.get(stage)?.messages, stage).toBe(ORDERS + 1);
  for (const stage of ['append', 'answer', 'encode', 'produce'] as const)
    expect(stages.get(stage)?.messages, stage).toBe(ORDERS);
  for (const stage of ['read', 'check', 'append', 'answer', 'encode', 'produce'] as const)
    expect(stages.get(stage)?.cpuSeconds, stage).toBeGreaterThan(0);
  for (const stage of ['append', 'produce'] as const) expect(stages.get(stage)?.waitMs, stage).toBeGreaterThan(0);
});
