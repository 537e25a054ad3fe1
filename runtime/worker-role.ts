// Runs an actor as a role: the runtime, its metrics and its admin port.

import type { Registry } from 'prom-client';
import type { Config } from '../contracts/config/config.ts';
import { clusterOf } from '../contracts/config/kafka-cluster.ts';
import type { RoleName, RunningRole } from '../contracts/roles.ts';
import { databaseOf } from '../store/index.ts';
import { openAdminPort } from '../telemetry/admin-port.ts';
import type { ReadinessCheck } from '../telemetry/admin-server.ts';
import type { Logger } from '../telemetry/logger.ts';
import { mergedScrape, snapshot } from '../telemetry/metrics.ts';
import { startRuntime } from './host/host.ts';
import { runtimeLimits } from './host/host-options.ts';
import { runtimePage } from './host/runtime-page.ts';

export interface WorkerRoleOptions {
  role: RoleName;
  config: Config;
  logger: Logger;
  topic: string;
  group: string;
  /** `file:` URL of a module that exports `createActor`. */
  actorModule: URL;
  /** Plain data, given to `createActor` in each thread. */
  settings: unknown;
  /** What the role does beside its threads: its metrics, and why it is not ready. */
  beside?: { registry: Registry; readiness: Record<string, ReadinessCheck> } | undefined;
}

/**
 * Runs a worker process: the runtime with its actor, and the admin server with metrics, readiness and `/debug/runtime`. The roles of
 * actors/ and bridge/ call it.
 * @throws when `KAFKA_BROKERS` is missing, when Kafka can't be reached or when the actor can't be created
 */
export async function startWorkerRole(options: WorkerRoleOptions): Promise<RunningRole> {
  const { role, config, logger, topic, group, actorModule, settings, beside } = options;
  const runtime = await startRuntime({
    role,
    logger,
    group,
    topic,
    cluster: clusterOf(config),
    database: databaseOf(config),
    actorModule,
    settings,
    slots: config.ORDERMESH_SLOTS,
    slotSilenceMsMax: config.ORDERMESH_SLOT_SILENCE_MAX,
    limits: runtimeLimits(config),
  });
  const admin = await openAdminPort(role, config, {
    metrics: async () => {
      const own = beside === undefined ? [] : [await snapshot(beside.registry)];
      return await mergedScrape([...(await runtime.metrics()), ...own]);
    },
    readiness: { runtime: () => runtime.readiness(), ...beside?.readiness },
    pages: {
      '/debug/runtime': runtimePage(runtime),
    },
  }).catch(async (error) => {
    await runtime.close();
    throw error;
  });
  return {
    addresses: { admin: admin.url },
    async close() {
      await runtime.close();
      await admin.close();
    },
  };
}
