// The worker roles: which actor, topic and settings each has, and how one is started. Called by the command `ordermesh worker`.

import type { Config } from '../contracts/config/config.ts';
import type { RunningRole } from '../contracts/roles.ts';
import { groups, topics } from '../contracts/topics.ts';
import { startWorkerRole } from '../runtime/index.ts';
import { readyDatabaseOf } from '../store/index.ts';
import type { Logger } from '../telemetry/logger.ts';
import { validatorSettings } from './order-validator/settings.ts';
import { startPayment } from './payment/payment-role.ts';
import { paymentSettings } from './payment/settings.ts';

export const workerRoles = ['order-validator', 'payment', 'kitchen'] as const;

export type WorkerRole = (typeof workerRoles)[number];

interface Worker {
  topic: string;
  group: string;
  actorModule: URL;
  /** The configuration that the actor needs; plain data. */
  settings(config: Config): unknown;
}

const workers: Record<WorkerRole, Worker> = {
  'order-validator': {
    topic: topics.rawOrders,
    group: groups.orderValidator,
    actorModule: new URL('./order-validator/actor.ts', import.meta.url),
    settings: validatorSettings,
  },
  payment: {
    topic: topics.validatedOrders,
    group: groups.payment,
    actorModule: new URL('./payment/actor.ts', import.meta.url),
    settings: paymentSettings,
  },
  kitchen: {
    topic: topics.validatedOrders,
    group: groups.kitchen,
    actorModule: new URL('./kitchen/actor.ts', import.meta.url),
    settings: () => ({}),
  },
};

/**
 * Starts a worker process's role with its actor, once the database has the schema of this release. `cli/` calls it.
 * @throws when `DATABASE_URL` or `KAFKA_BROKERS` is not set, or Kafka can't be reached; `DatabaseNotReadyError` while the database isn't ready
 */
export async function startWorker(role: WorkerRole, config: Config, logger: Logger): Promise<RunningRole> {
  const { settings, ...worker } = workers[role];
  if (config.DATABASE_URL === undefined) {
    throw new Error(`${role} needs DATABASE_URL: postgres://user:password@host:port/database`);
  }
  await readyDatabaseOf(config, role, (line) => logger.warn(line));
  const all = { role, config, logger, ...worker, settings: settings(config) };
  return role === 'payment' ? await startPayment(all) : await startWorkerRole(all);
}
