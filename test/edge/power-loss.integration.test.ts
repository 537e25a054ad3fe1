import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createRandom, randomSeed } from '../../lab/traffic/random.ts';
import { watchRawOrders } from '../gateway/support.ts';
import { freePorts } from '../system/free-ports.ts';
import { newOrder } from './order.ts';
import { postOrder, Restaurant, spawnAgent, takesOrders } from './restaurant.ts';

/** `POWER_LOSSES=200 SEED=7 npx vitest run --project integration test/edge/power-loss.integration.test.ts` for more of them. */
const powerLosses = Number(process.env.POWER_LOSSES ?? 10);
const seed = Number(process.env.SEED ?? randomSeed());
/** A kill comes this long after the agent takes orders, at the latest: in the middle of commits, batches and their answers. */
const ALIVE_MS_MAX = 250;
const TILLS = 8;

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

test(
  `loses no accepted order over ${powerLosses} power losses (seed ${seed})`,
  async () => {
    const random = createRandom(seed);
    const gateway = await restaurant.gateway('east');
    restaurant.line.to(gateway.url);
    const port = await freePorts(2);
    const url = `http://127.0.0.1:${port}`;
    const env = restaurant.environment({
      ORDERMESH_GATEWAY_PORT: String(port),
      ORDERMESH_ADMIN_PORT: String(port + 1),
      ORDERMESH_LOG_LEVEL: 'error',
    });
    const promised: string[] = [];
    for (let loss = 0; loss < powerLosses; loss++) {
      const agent = spawnAgent(env);
      // A third of the time the agent dies with its line down, so that the spool fills over several lives.
      if (random.chance(1 / 3)) restaurant.line.cut();
      else restaurant.line.restore();
      await takesOrders(url, agent);
      const gone = once(agent, 'exit');
      const dies = setTimeout(() => agent.kill('SIGKILL'), random.next() * ALIVE_MS_MAX);
      await Promise.all(Array.from({ length: TILLS }, () => sell(url, agent, promised)));
      await gone;
      clearTimeout(dies);
    }
    restaurant.line.restore();
    const agent = spawnAgent(env);
    try {
      await vi.waitFor(() => expect(promised.filter((orderId) => !raw.records.has(orderId))).toEqual([]), {
        timeout: 60_000,
        interval: 250,
      });
      expect(promised.length).toBeGreaterThan(powerLosses);
      console.log(
        `seed ${seed}: ${promised.length} orders were accepted over ${powerLosses} power losses, none is missing`,
      );
    } finally {
      agent.kill('SIGTERM');
      await once(agent, 'exit');
    }
  },
  60_000 + powerLosses * 4_000,
);

/** Sells until the agent is killed, and remembers the accepted orders. */
async function sell(url: string, agent: ChildProcess, promised: string[]): Promise<void> {
  while (agent.exitCode === null && agent.signalCode === null) {
    const order = newOrder();
    try {
      const response = await postOrder(url, order, restaurant.token);
      if (response.status === 202) promised.push(order.orderId);
      else throw new Error(`${response.status}: ${await response.text()}`);
    } catch (error) {
      if (error instanceof TypeError) return;
      throw error;
    }
  }
}
