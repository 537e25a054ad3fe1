import { chainMenu, localMinute } from './chain.ts';
import { demandAt, demandMax } from './day.ts';
import { createTraffic, type GeneratedOrder } from './generator.ts';
import { createRandom, exponential } from './random.ts';

const DAY_MS = 86_400_000;

/**
 * Realistic orders spread over a day that starts at `startMs`, as a Poisson process whose rate follows the chain's peaks (by thinning).
 * Fewer or more than `count` seconds of traffic do not matter: it goes on into the next day until there are `count`.
 */
export function* wholeDay(seed: number, startMs: number, count: number): Generator<GeneratedOrder> {
  const traffic = createTraffic({ seed, realistic: true });
  const arrivals = createRandom(seed ^ 0x5bd1e995);
  const { stores } = chainMenu();
  let at = startMs;
  for (let made = 0; made < count; ) {
    at += exponential(arrivals, (count * demandMax) / DAY_MS);
    let demand = 0;
    for (const store of stores) demand += demandAt(localMinute(store, at));
    if (!arrivals.chance(demand / stores.length / demandMax)) continue;
    made++;
    yield traffic.order(Math.floor(at));
  }
}
