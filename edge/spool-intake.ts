import type { Intake } from '../gateway/intake.ts';
import type { Spool } from './spool.ts';

/** Orders become durable on the disk of the restaurant: fsynced before the 202. `onAccepted` wakes the forwarder. */
export function createSpoolIntake(spool: Spool, onAccepted: () => void): Intake {
  return {
    accept({ orderId, storeId, value }, done) {
      spool.append({ orderId, storeId, value }, (error) => {
        done(error);
        if (error === null) onAccepted();
      });
    },
    readiness: () => (spool.isFull ? 'the spool is full' : undefined),
    close: async () => spool.close(),
  };
}
