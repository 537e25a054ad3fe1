// Lets a role wait for its database instead of ending: `/readyz` says what it waits for. Wrapped around the start of roles by cli/roles.

import { setTimeout as delay } from 'node:timers/promises';
import { Gauge, Registry } from 'prom-client';
import { Backoff } from '../../contracts/backoff.ts';
import type { Config } from '../../contracts/config/config.ts';
import type { RoleName, RunningRole } from '../../contracts/roles.ts';
import { openAdminPort } from '../../telemetry/admin-port.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { StateLog } from '../../telemetry/state-log.ts';
import { DatabaseNotReadyError } from './ready-database.ts';

type StartRole = (config: Config, logger: Logger) => Promise<RunningRole>;

const BACKOFF = { firstMs: 250, mostMs: 5_000, jitter: 0.3 };

/**
 * The start of a role that tries again, with back-off and for as long as it takes, while the database is not ready: it is away, it refuses
 * the login, or its schema is another one. Meanwhile the admin port answers, and `/readyz` says why with 503.
 */
export function whenDatabaseReady(role: RoleName, start: StartRole): StartRole {
  return async (config, logger) => {
    const states = new StateLog(logger);
    const backoff = new Backoff(BACKOFF);
    for (let told = ''; ; ) {
      try {
        const running = await start(config, logger);
        states.end('database', 'the database is ready');
        return running;
      } catch (error) {
        if (!(error instanceof DatabaseNotReadyError)) throw error;
        const { message } = error;
        if (told !== '' && told !== message) logger.warn({ reason: message }, 'the database is still not ready');
        states.begin('database', 'the database is not ready; trying again until it is', { reason: message });
        told = message;
        await using _waiting = await holdAdminPort(role, config, message);
        await delay(backoff.next());
      }
    }
  };
}

async function holdAdminPort(role: RoleName, config: Config, reason: string) {
  const registry = new Registry();
  registry.setDefaultLabels({ role });
  new Gauge({
    name: 'ordermesh_database_awaited',
    help: '1 while the role has not started because its database is away, refuses it, or has another schema; /readyz says which.',
    registers: [registry],
  }).set(1);
  return openAdminPort(role, config, { metrics: registry, readiness: { database: () => reason } });
}
