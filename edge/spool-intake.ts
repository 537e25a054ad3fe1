// The intake of the edge agent: gives each accepted order to the spool. Created by edge.ts.

import { type Clock, systemClock } from '../contracts/clock.ts';
import type { Config } from '../contracts/config/config.ts';
import { orderFingerprint } from '../contracts/order/fingerprint.ts';
import type { Order } from '../contracts/order/order.ts';
import type { FieldError } from '../contracts/validation.ts';
import { decodedOrder, type Intake, IntakeRefusal } from '../gateway/index.ts';
import type { SpoolClient } from './spool/client.ts';
import { lanes } from './spool/order.ts';
import { SpoolFullError } from './spool/spool.ts';

export interface SpoolIntakeOptions {
  spool: SpoolClient;
  urgentChannels: Config['ORDERMESH_EDGE_URGENT_CHANNELS'];
  /** The store of the agent's token; `undefined` while unknown: then orders of any store are taken. */
  store(): string | undefined;
  clock?: Clock;
  /** Why the spool takes no orders; `undefined` while it takes orders. */
  refusal(): string | undefined;
  /** Called for every order that was given to the spool, with the spool's error when the order was not kept. */
  wrote(error: Error | null): void;
  /** What the region would reject of an order; empty where it fits the menu. */
  faults?(order: Order): FieldError[];
  /** An order was refused for these faults. */
  onUnfit?(): void;
  /** An order is on the disk. */
  onKept(order: Order, acceptedAt: number): void;
}

/** Orders become durable on the disk of the restaurant: fsynced before the 202. */
export function createSpoolIntake(options: SpoolIntakeOptions): Intake {
  const { spool, urgentChannels, store, refusal, wrote, onKept, clock = systemClock } = options;
  const urgent = new Set<string>(urgentChannels);
  return {
    accept(accepted, done) {
      const { orderId, storeId, value } = accepted;
      const ours = store();
      if (ours !== undefined && ours !== storeId) {
        const detail = `this agent forwards orders of store ${ours}, the order is of ${storeId}`;
        setImmediate(done, new IntakeRefusal('forbidden', detail));
        return;
      }
      const order = decodedOrder(accepted);
      const lane = urgent.has(order.channel) ? lanes.urgent : lanes.normal;
      const faults = options.faults?.(order) ?? [];
      if (faults.length > 0) {
        // An order that the agent has accepted stays accepted, whatever the menu says now.
        spool.find(orderId).then((spooled) => {
          if (spooled !== undefined) keep();
          else {
            options.onUnfit?.();
            done(new IntakeRefusal('menu-mismatch', unfit(faults), faults));
          }
        }, done);
      } else keep();

      function keep(): void {
        const acceptedAt = clock.now();
        // 96 bits are enough to distinguish the orders of a restaurant.
        const content = orderFingerprint(order).slice(0, 16);
        spool.append({ orderId, storeId, lane, content, value, acceptedAt }, (error, outcome) => {
          wrote(error);
          if (error instanceof SpoolFullError) done(new IntakeRefusal('spool-full', error.message));
          else if (outcome === 'conflict')
            done(new IntakeRefusal('order-conflict', `order ${orderId} was sent before with other content`));
          else done(error);
          if (outcome === 'kept') onKept(order, acceptedAt);
        });
      }
    },
    readiness: refusal,
    close: () => spool.close(),
  };
}

function unfit(faults: readonly FieldError[]): string {
  return `the region would reject this order: ${faults.map(({ detail }) => detail).join('; ')}`;
}
