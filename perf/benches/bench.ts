// What perf/main.ts gives to every benchmark.

import type { Order } from '../../contracts/order/order.ts';
import type { Sweep } from '../sweeps/sweep.ts';

/** What every benchmark gets. */
export interface Bench {
  /** Addresses of the servers, as environment variables of the roles. */
  env: Record<string, string>;
  /** Counted seconds of one round. */
  seconds: number;
  /** Rounds of each side, taking turns. */
  rounds: number;
  /** Messages of a throughput run. */
  messages: number;
  /** A valid order of a typical basket. */
  sampleOrder(): Order;
  /** Takes a figure that was measured at several settings. */
  onSweep?(name: string, sweep: Sweep): void;
}
