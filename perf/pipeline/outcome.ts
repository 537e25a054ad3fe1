// What a sustained run found. Printed by main.ts, read by ../benches/sustained.ts.

import { type Costs, costsOf, type SampledRoles } from './costs.ts';
import { type RateAt, rateBetween, ratesOf, warmAfterSeconds } from './rate.ts';
import type { Reading } from './readings.ts';

export interface Outcome {
  /** Orders a second that reached the kitchen, by round. */
  perSecond: number[];
  warmAfterSeconds: number;
  rates: RateAt[];
  /** Of all rounds together. */
  costs: Costs;
  roundCosts: Pick<Costs, 'totalUs' | 'explained'>[];
  /** Orders that the audit judged. */
  audited: number;
}

/** What was read of a run. */
export interface Evidence {
  warmUp: readonly Reading[];
  /** One more than rounds. */
  readings: readonly Reading[];
  sampled: SampledRoles;
}

export function outcomeOf({ warmUp, readings, sampled }: Evidence, audited: number): Outcome {
  const pairs = readings.slice(1).map((to, index) => [readings[index] as Reading, to] as const);
  const rates = ratesOf(warmUp, readings);
  return {
    perSecond: pairs.map(([from, to]) => rateBetween(from, to)),
    warmAfterSeconds: warmAfterSeconds(rates),
    rates,
    costs: costsOf(readings[0] as Reading, readings.at(-1) as Reading, sampled),
    roundCosts: pairs.map(([from, to]) => {
      const { totalUs, explained } = costsOf(from, to, sampled);
      return { totalUs, explained };
    }),
    audited,
  };
}
