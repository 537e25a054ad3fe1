// The settings of the payment actor, from the configuration. Made by roles.ts and by `ordermesh payments`.

import { type Config, ConfigError } from '../../contracts/config/config.ts';
import type { Secret } from '../../contracts/config/secret.ts';
import { assertSimulationAllowed } from '../../contracts/config/simulation.ts';
import { type DatabaseServer, ledgerOf } from '../../store/index.ts';

export interface SimulatedSettings {
  provider: 'simulated';
  /** The database of the simulated provider's ledger. */
  database: DatabaseServer;
  latencyMeanMs: number;
  latencyMsMax: number;
  declineRate: number;
  timeoutRate: number;
  /** Longest wait for one answer of the ledger. */
  callMsMax: number;
}

export interface StripeSettings {
  provider: 'stripe';
  secretKey: Secret;
  apiBase: string;
  /** Longest wait for one answer. A charge that has to ask first takes two. */
  callMsMax: number;
}

/** Plain data that crosses into the worker threads. */
export type PaymentSettings = SimulatedSettings | StripeSettings;

/**
 * @throws ConfigError when what the chosen provider needs is not configured
 * @throws for a role that others could meet although it moves no money
 */
export function paymentSettings(config: Config): PaymentSettings {
  const callMsMax = config.ORDERMESH_PAYMENT_CALL_DEADLINE;
  if (config.ORDERMESH_PAYMENT_PROVIDER === 'stripe') {
    if (config.STRIPE_SECRET_KEY === undefined)
      throw new ConfigError(
        'STRIPE_SECRET_KEY is not set; ORDERMESH_PAYMENT_PROVIDER=stripe needs a secret or restricted key, or STRIPE_SECRET_KEY_FILE with its file',
      );
    return { provider: 'stripe', secretKey: config.STRIPE_SECRET_KEY, apiBase: config.STRIPE_API_BASE, callMsMax };
  }
  assertSimulationAllowed('payment', config);
  const database = ledgerOf(config);
  if (database === undefined) throw new Error('DATABASE_URL is not set; it takes the URL of PostgreSQL');
  return {
    provider: 'simulated',
    database,
    latencyMeanMs: config.ORDERMESH_PAYMENT_LATENCY_MEAN,
    latencyMsMax: config.ORDERMESH_PAYMENT_LATENCY_MAX,
    declineRate: config.ORDERMESH_PAYMENT_DECLINE_RATE,
    timeoutRate: config.ORDERMESH_PAYMENT_TIMEOUT_RATE,
    callMsMax,
  };
}
