// The settings of the payment actor, from the configuration. Made by roles.ts.

import type { Config } from '../../contracts/config/config.ts';
import { assertSimulationAllowed } from '../../contracts/config/simulation.ts';
import { type DatabaseServer, ledgerOf } from '../../store/index.ts';

/** Plain data that crosses into the worker threads. */
export interface PaymentSettings {
  /** The database of the simulated provider's ledger. */
  database: DatabaseServer;
  latencyMeanMs: number;
  latencyMsMax: number;
  declineRate: number;
  timeoutRate: number;
}

/** @throws when no database is configured, and for a role that others could meet although it moves no money */
export function paymentSettings(config: Config): PaymentSettings {
  assertSimulationAllowed('payment', config);
  const database = ledgerOf(config);
  if (database === undefined) throw new Error('DATABASE_URL is not set; it takes the URL of PostgreSQL');
  return {
    database,
    latencyMeanMs: config.ORDERMESH_PAYMENT_LATENCY_MEAN,
    latencyMsMax: config.ORDERMESH_PAYMENT_LATENCY_MAX,
    declineRate: config.ORDERMESH_PAYMENT_DECLINE_RATE,
    timeoutRate: config.ORDERMESH_PAYMENT_TIMEOUT_RATE,
  };
}
