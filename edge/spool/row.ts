// Turns a row of the spool's file into an order. Used by spool.ts and visit.ts.

import { type SpooledOrder, type StateName, states } from './order.ts';

/** A row of `orders` with the name of its region. */
export interface RawOrder {
  sequence: number;
  order_id: string;
  store_id: string;
  state: number;
  accepted_at: number;
  region_name: string | null;
  problem: string | null;
  value: Uint8Array;
}

const names = Object.keys(states) as StateName[];

export function spooledOrder(row: RawOrder): SpooledOrder {
  return {
    sequence: row.sequence,
    orderId: row.order_id,
    storeId: row.store_id,
    state: names.find((name) => states[name] === row.state) ?? 'unsent',
    acceptedAt: row.accepted_at,
    region: row.region_name,
    problem: row.problem,
    value: row.value,
  };
}
