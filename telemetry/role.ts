// Runs a role until it is told to stop. Called by the commands that start roles; the lab waits for signals with it.

import { setTimeout as delay } from 'node:timers/promises';
import { assertAdminLocked } from '../contracts/config/admin.ts';
import type { Config } from '../contracts/config/config.ts';
import { clusterOf, peerClusterOf, readablePassword } from '../contracts/config/kafka-cluster.ts';
import { assertSimulationAllowed, simulatedBeyondLoopback } from '../contracts/config/simulation.ts';
import type { RoleName, RunningRole } from '../contracts/roles.ts';
import { createLogger, type Logger } from './logger.ts';

/** A start that takes longer is logged: it may wait for a server that never answers. */
const START_TOLD_MS = 10_000;
/** A stop waits this long for a start that is nearly complete, because a role that has started leaves its consumer group properly. */
const START_STOPPED_MS = 2_000;

/** What a role process tells the supervisor that forked it. */
export interface RoleMessage {
  type: 'started';
  addresses: Record<string, string>;
}

/**
 * Runs a role until it is told to stop: by SIGTERM, SIGINT or SIGHUP, or because the supervisor that forked it is gone. A second signal stops it at
 * once.
 * @throws ConfigError for a role that would be open to strangers
 */
export async function runRole(
  role: RoleName,
  config: Config,
  start: (config: Config, logger: Logger) => Promise<RunningRole>,
): Promise<void> {
  assertAdminLocked(config);
  assertSimulationAllowed(role, config);
  const logger = createLogger(role, config.ORDERMESH_LOG_LEVEL);
  for (const { danger, instead } of simulatedBeyondLoopback(role, config))
    logger.warn({ instead }, `ORDERMESH_ALLOW_SIMULATION is on: ${danger}`);
  for (const cluster of [config.KAFKA_BROKERS && clusterOf(config), peerClusterOf(config)]) {
    const danger = cluster && readablePassword(cluster);
    if (danger !== undefined) logger.warn(danger);
  }
  const stop = stopRequest();
  const running = await startedUnlessStopped(() => start(config, logger), stop, logger);
  logger.info({ addresses: running.addresses }, 'started');
  process.send?.({ type: 'started', addresses: running.addresses } satisfies RoleMessage);
  logger.info({ reason: await stop }, 'stopping');
  await running.close();
  logger.info('stopped');
  // Whatever still holds the event loop (an idle connection of a library) is not worth waiting for.
  process.exit(0);
}

/** Waits for the start, and ends the process when it is told to stop meanwhile. */
async function startedUnlessStopped(
  start: () => Promise<RunningRole>,
  stop: Promise<string>,
  logger: Logger,
): Promise<RunningRole> {
  let isStarting = true;
  const slow = setTimeout(() => logger.warn(`still starting after ${START_TOLD_MS / 1_000} s`), START_TOLD_MS).unref();
  void stop.then(async (reason) => {
    if (isStarting) await delay(START_STOPPED_MS);
    if (!isStarting) return;
    logger.info({ reason }, 'stopped before it had started');
    process.exit(0);
  });
  try {
    return await start();
  } finally {
    isStarting = false;
    clearTimeout(slow);
  }
}

const SAME_SIGNAL_MS = 500;

/** Resolves with the reason to stop; from then on a signal ends the process at once. */
export function stopRequest(): Promise<string> {
  return new Promise((resolve) => {
    let stoppingSince: number | undefined;
    const onSignal = (signal: NodeJS.Signals) => {
      const now = performance.now();
      // One Ctrl-C can arrive twice, from the terminal and through a parent that passes it on.
      if (stoppingSince !== undefined && now - stoppingSince > SAME_SIGNAL_MS) process.exit(1);
      stoppingSince ??= now;
      resolve(signal);
    };
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
    // The terminal is gone, or an operator expects a new reading of the settings: both get an orderly end.
    process.on('SIGHUP', onSignal);
    process.on('disconnect', () => {
      stoppingSince ??= performance.now();
      resolve('the supervisor is gone');
    });
  });
}

/** Resolves when the process that started this one has ended: a killed `make` passes no signal on. */
export async function parentGone(): Promise<string> {
  const { stopWithParent } = await import('./stop-with-parent.ts');
  return await new Promise((resolve) => stopWithParent(() => resolve('the parent process is gone')));
}
