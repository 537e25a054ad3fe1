import type { Order } from '../../contracts/order/order.ts';

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
}
