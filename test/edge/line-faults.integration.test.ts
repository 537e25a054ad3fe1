import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { watchRawOrders } from '../gateway/support.ts';
import { newOrder } from './order.ts';
import { type Agent, Restaurant } from './restaurant.ts';

/** `LINE_CUT_S=240 LINE_FLAPS=60 npx vitest run --project integration test/edge/line-faults.integration.test.ts` for longer ones. */
const cutMs = Number(process.env.LINE_CUT_S ?? 3) * 1_000;
const flaps = Number(process.env.LINE_FLAPS ?? 3);
const FLAP_MS = 1_000;
const ORDER_INTERVAL_MS = 20;
const SETTLE_MS = 60_000;

let restaurant: Restaurant;
let raw: Awaited<ReturnType<typeof watchRawOrders>>;
beforeEach(async () => {
  restaurant = await Restaurant.open();
  raw = await watchRawOrders();
});
afterEach(async () => {
  await restaurant.close();
  await raw[Symbol.asyncDispose]();
});

/** Sells at a steady rate while the line fails, then waits until the region has every order. */
async function sellDuring(fault: () => Promise<void>): Promise<void> {
  restaurant.line.to((await restaurant.gateway('east')).url);
  const agent: Agent = await restaurant.agent();
  const accepted: string[] = [];
  let selling = true;
  const till = (async () => {
    while (selling) {
      accepted.push(...(await agent.accept([newOrder()])));
      await sleep(ORDER_INTERVAL_MS);
    }
  })();
  await vi.waitFor(async () => expect((await agent.status()).spool.confirmed).toBeGreaterThan(0), 20_000);
  await fault();
  selling = false;
  await till;
  await vi.waitFor(
    async () => {
      expect(accepted.filter((orderId) => !raw.records.has(orderId))).toEqual([]);
      expect((await agent.status()).spool).toMatchObject({ unsent: 0, refused: 0, confirmed: accepted.length });
    },
    { timeout: SETTLE_MS, interval: 250 },
  );
  const twice = accepted.filter((orderId) => (raw.records.get(orderId)?.length ?? 0) > 1).length;
  console.log(
    `${accepted.length} orders accepted, all with the region; ${twice} were sent twice, their answer was lost`,
  );
}

test(
  `brings everything after a cut of ${cutMs / 1_000} s`,
  () =>
    sellDuring(async () => {
      restaurant.line.cut();
      await sleep(cutMs);
      restaurant.line.restore();
    }),
  cutMs + SETTLE_MS + 60_000,
);

test(
  `brings everything over a line that is up for a second and down for a second, ${flaps} times`,
  () =>
    sellDuring(async () => {
      for (let flap = 0; flap < flaps; flap++) {
        restaurant.line.cut();
        await sleep(FLAP_MS);
        restaurant.line.restore();
        await sleep(FLAP_MS);
      }
    }),
  flaps * 2 * FLAP_MS + SETTLE_MS + 60_000,
);
