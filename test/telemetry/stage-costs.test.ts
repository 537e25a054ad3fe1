import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { mergedScrape, snapshot } from '../../telemetry/metrics.ts';
import { stage } from '../../telemetry/stages/stage.ts';
import { threadStages } from '../../telemetry/stages/stage-clock.ts';
import { readStages, stageCosts } from '../../telemetry/stages/stage-costs.ts';
import { registerStages, type ThreadStages } from '../../telemetry/stages/stage-metrics.ts';

const reading = (cpuSeconds: number, activeSeconds: number, busySeconds: number, messages: number): ThreadStages => ({
  thread: 'slot 0',
  cpuSeconds,
  activeSeconds,
  stages: [
    { stage: 'decode', messages, operations: messages / 10, busySeconds, waits: 0, waitSeconds: 0 },
    { stage: 'store', messages, operations: 1, busySeconds: 0, waits: messages / 10, waitSeconds: messages / 1_000 },
  ],
});

test('the cost of a stage is its share of the processor time, and waits are apart', () => {
  const [cost] = stageCosts([reading(10, 20, 4, 100)], [reading(16, 32, 12, 500)]);
  expect(cost).toEqual({
    thread: 'slot 0',
    cpuSeconds: 6,
    explainedSeconds: 4,
    stages: [
      { stage: 'decode', messages: 400, batch: 10, cpuSeconds: 4, waitMs: undefined },
      { stage: 'store', messages: 400, batch: undefined, cpuSeconds: 0, waitMs: 10 },
    ],
  });
});

test('a thread that was replaced counts from its start', () => {
  const [cost] = stageCosts([reading(10, 20, 4, 100)], [reading(2, 4, 1, 50)]);
  expect(cost).toMatchObject({ cpuSeconds: 2, explainedSeconds: 0.5 });
  expect(cost?.stages[0]).toMatchObject({ stage: 'decode', messages: 50, cpuSeconds: 0.5 });
});

test('what a thread shows in its metrics is what a reader finds, in a merged scrape too', async () => {
  threadStages.passed(stage.pack, 30);
  threadStages.waited(stage.commit, 250);
  const before = threadStages.enter(stage.pack);
  threadStages.leave(before);
  const registries = ['main', 'slot 0'].map((thread) => {
    const registry = new Registry();
    registry.setDefaultLabels({ role: 'payment' });
    registerStages(registry, thread);
    return registry;
  });
  const scrape = await mergedScrape(await Promise.all(registries.map(snapshot)));
  const threads = readStages(scrape);
  expect(threads.map(({ thread }) => thread).sort()).toEqual(['main', 'slot 0']);
  for (const { cpuSeconds, activeSeconds, stages } of threads) {
    expect(cpuSeconds).toBeGreaterThan(0);
    expect(activeSeconds).toBeGreaterThan(0);
    expect(stages).toMatchObject([
      { stage: 'pack', messages: 30, operations: 1, waits: 0 },
      { stage: 'commit', messages: 0, waits: 1, waitSeconds: 0.25 },
    ]);
  }
});
