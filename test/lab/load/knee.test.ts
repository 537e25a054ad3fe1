import { expect, test } from 'vitest';
import { findKnee, holds, type Knee } from '../../../lab/load/knee.ts';
import { createRandom, randomSeed } from '../../../lab/traffic/random.ts';
import { type SimulatedGateway, simulatedGateway } from './simulated-gateway.ts';

const P99_MS_MAX = 250;
const STEP_SECONDS = 6;
const BUDGET_MS = 170_000;

function search(gateway: SimulatedGateway, changes: Partial<Parameters<typeof findKnee>[0]> = {}): Promise<Knee> {
  return findKnee({
    measure: gateway.measure,
    nowMs: gateway.nowMs,
    startRate: 100,
    p99MsMax: P99_MS_MAX,
    stepSeconds: STEP_SECONDS,
    budgetMs: BUDGET_MS,
    ...changes,
  });
}

/** The highest rate that holds, of rates that are 1 % apart; a rate that fails is measured again, as the search does. */
async function sweep({ measure }: SimulatedGateway, from: number): Promise<number> {
  for (let rate = from; ; rate *= 1.01) {
    const held = holds(await measure(rate, STEP_SECONDS), P99_MS_MAX);
    if (!held && !holds(await measure(rate, STEP_SECONDS), P99_MS_MAX)) return rate / 1.01;
  }
}

const seeds = process.env.SEED === undefined ? Array.from({ length: 12 }, randomSeed) : [Number(process.env.SEED)];

test.each(seeds.map((seed) => ({ seed })))(
  'the knee is within 5 % of a fine sweep, in under 3 minutes (SEED=$seed)',
  async ({ seed }) => {
    const random = createRandom(seed);
    const capacity = 100 * 40 ** random.next();
    const gateway = simulatedGateway(seed + 1, capacity, 0.04);
    const knee = await search(gateway);
    const tookMs = gateway.nowMs();
    const swept = await sweep(simulatedGateway(seed + 2, capacity, 0), capacity * 0.7);
    expect(knee.complete).toBe(true);
    expect(Math.abs(knee.rate / swept - 1)).toBeLessThan(0.05);
    expect(knee.failsAt).toBeGreaterThan(knee.rate);
    expect(tookMs).toBeLessThan(180_000);
  },
);

/** Holds what is asked up to this rate, except for what the test says. */
function steps(capacity: number, lie: (rate: number, call: number) => boolean | undefined = () => undefined) {
  const rates: number[] = [];
  let nowMs = 0;
  return {
    rates,
    nowMs: () => nowMs,
    async measure(rate: number, seconds: number) {
      nowMs += seconds * 1_000;
      const held = lie(rate, rates.push(rate) - 1) ?? rate <= capacity;
      return { offeredPerSecond: rate, acceptedPerSecond: held ? rate : rate / 2, latency: { p99Ms: 5 } };
    },
  };
}

test('a start above the knee is halved until a rate holds', async () => {
  const knee = await search(steps(90), { startRate: 1_000 });
  expect(knee.complete).toBe(true);
  expect(Math.abs(knee.rate / 90 - 1)).toBeLessThan(0.05);
});

test('a rate that fails once, and not again, holds', async () => {
  const knee = await search(steps(1_000, (_, call) => (call === 2 ? false : undefined)));
  expect(Math.abs(knee.rate / 1_000 - 1)).toBeLessThan(0.05);
});

test('a bound of the way up that was wrong is moved', async () => {
  const early = steps(1_000, (rate, call) => (call < 8 && rate === 400 ? false : undefined));
  expect(Math.abs((await search(early)).rate / 1_000 - 1)).toBeLessThan(0.05);
  const late = steps(750, (rate, call) => (call < 4 && rate === 800 ? true : undefined));
  expect(Math.abs((await search(late)).rate / 750 - 1)).toBeLessThan(0.05);
});

test('when nothing holds the knee is 0', async () => {
  expect(await search(steps(0))).toMatchObject({ rate: 0, complete: true });
});

test('when the time is up the bounds so far are the answer', async () => {
  const knee = await search(steps(1_000), { budgetMs: 25_000 });
  expect(knee.complete).toBe(false);
  expect(knee.rate).toBeLessThanOrEqual(1_000);
  expect(knee.failsAt).toBeGreaterThan(1_000);
  expect(await search(steps(1e9), { budgetMs: 20_000 })).toMatchObject({ complete: false, failsAt: null });
});

test('a knee of the generator says so', async () => {
  const { measure, nowMs } = steps(1_000);
  const limited = async (rate: number, seconds: number) => ({
    ...(await measure(rate, seconds)),
    ...(rate > 1_000 ? { bottleneck: 'it takes 0.97 of a core' } : {}),
  });
  expect(await search({ measure: limited, nowMs })).toMatchObject({ bottleneck: 'it takes 0.97 of a core' });
});

test.each([
  [{ offeredPerSecond: 100, acceptedPerSecond: 98, latency: { p99Ms: 250 } }, true],
  [{ offeredPerSecond: 100, acceptedPerSecond: 97.9, latency: { p99Ms: 10 } }, false],
  [{ offeredPerSecond: 100, acceptedPerSecond: 100, latency: { p99Ms: 251 } }, false],
  [{ offeredPerSecond: 0, acceptedPerSecond: 0, latency: { p99Ms: 0 } }, false],
])('%j holds: %s', (figures, expected) => {
  expect(holds(figures, P99_MS_MAX)).toBe(expected);
});
