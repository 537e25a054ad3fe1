// The metrics of the warehouse role. Created by warehouse.ts.

import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { createOrderAge, type OrderAge } from '../../telemetry/order-age.ts';

export interface WarehouseMetrics {
  rows: Counter;
  parked: Counter;
  failures: Counter;
  insertSeconds: Histogram;
  orderAge: OrderAge;
}

/** `held`: messages that are pulled and not acknowledged. `suspects`: rows that are tried alone. */
export function warehouseMetrics(
  registry: Registry,
  { held, suspects }: { held(): number; suspects(): number },
): WarehouseMetrics {
  const registers = [registry];
  new Gauge({
    name: 'ordermesh_warehouse_suspect_rows',
    help: 'Rows that BigQuery did not take while it took others; each is tried alone, then parked.',
    registers,
    collect() {
      this.set(suspects());
    },
  });
  new Gauge({
    name: 'ordermesh_warehouse_held_messages',
    help: 'Messages pulled and not yet acknowledged.',
    registers,
    collect() {
      this.set(held());
    },
  });
  return {
    orderAge: createOrderAge(registry, 'warehouse'),
    rows: new Counter({
      name: 'ordermesh_warehouse_rows_total',
      help: 'Rows inserted into order_events, copies included.',
      registers,
    }),
    parked: new Counter({
      name: 'ordermesh_warehouse_parked_rows_total',
      help: 'Messages parked in order_events_parked.',
      registers,
    }),
    failures: new Counter({
      name: 'ordermesh_warehouse_insert_failures_total',
      help: 'Inserts that BigQuery did not take; each is repeated.',
      registers,
    }),
    insertSeconds: new Histogram({
      name: 'ordermesh_warehouse_insert_seconds',
      help: 'Time of an insert that succeeded.',
      buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
      registers,
    }),
  };
}
