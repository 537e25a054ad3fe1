import { createConsumer } from '../../kafka/index.ts';
import { createProcessRegistry } from '../../telemetry/metrics.ts';
import { threadStages } from '../../telemetry/stages/stage-clock.ts';
import { StateLog } from '../../telemetry/state-log.ts';
import { describeError } from '../outage.ts';
import { systemTimers } from '../timers.ts';
import type { RuntimeOptions } from './host-options.ts';
import type { HostPorts } from './host-ports.ts';
import { OwnershipStore } from './partitions/ownership.ts';
import { type Runtime, RuntimeHost } from './runtime-host.ts';
import { Slot } from './slots/slot.ts';

export type { Runtime } from './runtime-host.ts';

/**
 * Runs an actor on a topic in this process: joins the group, pins partitions to threads and commits the frontier.
 * @throws when Kafka can't be reached, or when the actor can't be created in a thread.
 */
export async function startRuntime(options: RuntimeOptions): Promise<Runtime> {
  const host = new RuntimeHost(options, systemPorts(options));
  try {
    await host.start();
  } catch (error) {
    await host.close();
    throw error;
  }
  return host;
}

/** The real ports of the host: Kafka, PostgreSQL, threads and the clock. */
function systemPorts(options: RuntimeOptions): HostPorts {
  const { role, group, topic, cluster, database, sessionTimeoutMs, limits, settings } = options;
  const actorModule = options.actorModule.href;
  const ownershipOptions = { database, role, cluster, deadLettersKeptMs: limits.deadLettersKeptMs };
  const states = new StateLog(options.logger);
  const ownership = new OwnershipStore(
    ownershipOptions,
    { group, topic },
    {
      onPruneFailure: (error) =>
        options.logger.warn(
          { reason: describeError(error) },
          'old dead letters are not forgotten; trying again in an hour',
        ),
      onClaimBlocked: (error) =>
        states.begin('claim', 'cannot end the database sessions that block a claim of partitions; trying again', {
          reason: describeError(error),
        }),
      onClaimed: () => states.end('claim', 'partitions can be claimed again'),
    },
  );
  return {
    timers: systemTimers,
    createConsumer: (listener) =>
      createConsumer(
        {
          clientId: role,
          cluster,
          groupId: group,
          log: options.logger,
          topics: [topic],
          fetchIntervalMs: limits.fetchIntervalMs,
          ...(sessionTimeoutMs === undefined ? {} : { sessionTimeoutMs }),
        },
        listener,
      ),
    createSlot: (slot, listener) =>
      new Slot(
        { slot, role, group, topic, cluster, database, actorModule, settings, limits: limits.slot },
        listener,
        options.slotMemoryMbMax,
        options.slotSilenceMsMax,
      ),
    ownership,
    logs: ownership.logs,
    registry: createProcessRegistry(role),
    stages: threadStages,
  };
}
