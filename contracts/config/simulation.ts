// What of a role is simulated, and where it may be. Roles ask at their start.

import { isLoopback } from '../loopback.ts';
import type { RoleName } from '../roles.ts';
import { type Config, ConfigError } from './config.ts';

/** A part that stands in for a real one. */
export interface SimulatedPart {
  /** Label of the metric. */
  name: 'development-issuer' | 'payment-provider' | 'unverified-pushes';
  /** What anyone could do who reaches the role. */
  danger: string;
  /** What to set to get the real part. */
  instead: string;
}

const issuer: SimulatedPart = {
  name: 'development-issuer',
  danger: 'tokens are signed by the development issuer, whose key is a file in ORDERMESH_DATA_DIR',
  instead: 'set ORDERMESH_JWKS to the keys of your issuer',
};

const provider: SimulatedPart = {
  name: 'payment-provider',
  danger: 'payments are simulated: orders are called paid, and no money moves',
  instead: 'set ORDERMESH_PAYMENT_PROVIDER=stripe and STRIPE_SECRET_KEY',
};

const pushes: SimulatedPart = {
  name: 'unverified-pushes',
  danger: 'anyone who reaches the loyalty function can push events to it',
  instead: 'set ORDERMESH_LOYALTY_PUSH_SERVICE_ACCOUNT to the account whose token Pub/Sub sends',
};

/** The simulated parts of a role with this configuration, wherever the role listens. */
function partsOf(role: RoleName, config: Config): SimulatedPart[] {
  switch (role) {
    case 'gateway':
    case 'edge':
      return config.ORDERMESH_AUTH && config.ORDERMESH_JWKS === undefined ? [issuer] : [];
    case 'payment':
      return config.ORDERMESH_PAYMENT_PROVIDER === 'simulated' ? [provider] : [];
    case 'loyalty':
      return config.ORDERMESH_LOYALTY_PUSH_SERVICE_ACCOUNT === undefined ? [pushes] : [];
    default:
      return [];
  }
}

/**
 * The simulated parts of a role that others than this machine could meet. A worker listens with its admin port only, so the address of that port tells too
 * whether the role is beyond loopback.
 */
export function simulatedBeyondLoopback(role: RoleName, config: Config): SimulatedPart[] {
  const { ORDERMESH_HOST: host, ORDERMESH_ADMIN_HOST: adminHost } = config;
  return isLoopback(host) && isLoopback(adminHost) ? [] : partsOf(role, config);
}

/** @throws ConfigError for a simulated part beyond loopback without ORDERMESH_ALLOW_SIMULATION=on */
export function assertSimulationAllowed(role: RoleName, config: Config): void {
  const [part] = simulatedBeyondLoopback(role, config);
  if (part === undefined || config.ORDERMESH_ALLOW_SIMULATION) return;
  const variable = isLoopback(config.ORDERMESH_HOST) ? 'ORDERMESH_ADMIN_HOST' : 'ORDERMESH_HOST';
  throw new ConfigError(
    `${variable} is ${JSON.stringify(config[variable])}, and in the role ${role} ${part.danger}: ${part.instead}, or ORDERMESH_ALLOW_SIMULATION=on for a trial`,
  );
}
