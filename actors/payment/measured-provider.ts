// Measures the calls of a payment provider. The payment actor wraps its provider so.

import { Histogram, type Registry } from 'prom-client';
import { faultOf } from '../../runtime/outage.ts';
import type { PaymentProvider } from './provider.ts';

type Outcome = 'approved' | 'declined' | 'refunded' | 'outage' | 'refused';

/** Counts how long each call took, by what came of it: `outage` is no answer, `refused` a request that will never succeed. */
export function measuredProvider(provider: PaymentProvider, registry: Registry): PaymentProvider {
  const seconds = new Histogram({
    name: 'ordermesh_payment_provider_seconds',
    help: 'Time of a call of the payment provider, by outcome: approved, declined, refunded, outage, refused.',
    labelNames: ['outcome'],
    buckets: [0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5, 10, 30],
    registers: [registry],
  });
  const measured = async <T>(work: Promise<T>, outcomeOf: (result: T) => Outcome): Promise<T> => {
    const beganAt = performance.now();
    const ended = (outcome: Outcome) => seconds.observe({ outcome }, (performance.now() - beganAt) / 1_000);
    try {
      const result = await work;
      ended(outcomeOf(result));
      return result;
    } catch (error) {
      ended(faultOf(error) === 'message' ? 'refused' : 'outage');
      throw error;
    }
  };
  return {
    charge: (request) => measured(provider.charge(request), ({ status }) => status),
    refund: (request) => measured(provider.refund(request), () => 'refunded'),
    movements: (period) => provider.movements(period),
    close: () => provider.close(),
  };
}
