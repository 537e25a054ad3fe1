// From the cost of an order to the machines that a rate needs. Used by main.ts; docs/operations/capacity.md explains it.

/** Microseconds of processor time an order, by process. */
export type Costs = Readonly<Record<string, number>>;

/** A core that is busier than this has no room for a rush, a restart beside it, or a rebalance. */
export const BUSY_SHARE_MAX = 0.6;

export interface Need {
  name: string;
  /** Busy all the time, at that rate. */
  coresBusy: number;
  /** To have, so that they are busy for the share above. */
  cores: number;
}

/** The model: each order costs the same, however many slots and processes share the work. */
export function needsOf(costs: Costs, ordersPerSecond: number): Need[] {
  return Object.entries(costs).map(([name, us]) => {
    const coresBusy = (us * ordersPerSecond) / 1_000_000;
    return { name, coresBusy, cores: Math.ceil(coresBusy / BUSY_SHARE_MAX) };
  });
}

/** How far a measurement is from what the model says, as a share: 0.1 is a tenth more. */
export function errorOf(predicted: number, measured: number): number {
  return measured / predicted - 1;
}
