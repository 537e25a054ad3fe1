// Makes the payment provider that the configuration names. The payment actor and `ordermesh payments` call it.

import type { PaymentProvider } from './provider.ts';
import type { PaymentSettings } from './settings.ts';
import { simulatedProvider } from './simulated-provider.ts';

/** The client of Stripe is loaded only where it is used: it takes 10 MB and 0.2 s in each thread. */
export async function openProvider(settings: PaymentSettings): Promise<PaymentProvider> {
  switch (settings.provider) {
    case 'simulated':
      return simulatedProvider(settings);
    case 'stripe': {
      const { stripeProvider } = await import('./stripe/stripe-provider.ts');
      return stripeProvider(settings);
    }
  }
}
