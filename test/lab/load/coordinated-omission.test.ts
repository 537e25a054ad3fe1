import { expect, test } from 'vitest';
import { LoadRun } from '../../../lab/load/load-run.ts';
import { createTraffic } from '../../../lab/traffic/generator.ts';
import { startFakeGateway } from './fake-gateway.ts';

const RATE = 400;
const COUNT = 400;
const STALL_AT = 100;
/** 200 orders are due meanwhile. */
const STALL_MS = 500;

test('orders that were due while the gateway stalled count with all of their waiting, though few were sent in that time', async () => {
  await using gateway = await startFakeGateway((count) => {
    if (count !== STALL_AT) return;
    gateway.stall();
    setTimeout(() => gateway.goOn(), STALL_MS);
  });
  const run = new LoadRun({
    traffic: createTraffic({ seed: 7 }),
    // Counted from when they were sent, only these few orders of 400 would have seen the stall.
    sender: { gateway: gateway.url, token: () => undefined, unansweredMax: 3 },
    signal: new AbortController().signal,
  });
  await run.step({ rate: RATE, count: COUNT });
  await run.settle();
  const { latency, percentiles, steps, accepted } = run.report();
  run.close();
  expect(accepted).toBe(COUNT);
  // Half of the orders were due in the stall, and half of these waited for more than half of it.
  const stallMs = latency.maxMs;
  expect(latency.p90Ms).toBeGreaterThan(stallMs * 0.4);
  // The rest of the distribution, and of the step, is of the same values.
  expect(percentiles.find(({ percentile }) => percentile === 87.5)?.ms).toBeGreaterThan(stallMs * 0.4);
  expect(steps).toMatchObject([{ rate: RATE, failed: 0, latency: { count: COUNT } }]);
});

test('an order that is sent before it is due has the latency of its way, not less', async () => {
  await using gateway = await startFakeGateway();
  const latencies: number[] = [];
  const run = new LoadRun({
    traffic: createTraffic({ seed: 7 }),
    sender: {
      gateway: gateway.url,
      token: () => undefined,
      onResult: ({ latencyMs }) => latencies.push(latencyMs),
    },
    signal: new AbortController().signal,
  });
  await run.step({ rate: 2_000, count: 200 });
  await run.settle();
  run.close();
  expect(latencies).toHaveLength(200);
  expect(Math.min(...latencies)).toBeGreaterThan(0);
});
