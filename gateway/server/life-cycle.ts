// What an intake server does while it runs and when it shuts down. Called by `gateway/server.ts`.

import { settlesWithin } from '../../contracts/deadline.ts';
import { systemTimers } from '../../contracts/timers.ts';
import { exchangesOver } from '../http/exchange.ts';
import type { ServerParts } from './build.ts';
import type { Listening } from './mount.ts';

/** Open connections are checked this often: one whose credentials have ended is closed at the second check at the latest. */
const CHECK_MS = 5_000;

/** When the region stops taking orders, clients move to the active region: over HTTP with their next answer, over WebSocket at once. */
export function followRegion({ options, desk, context, connections }: ServerParts): void {
  const { activity, logger } = options;
  activity?.onChange(() => {
    const reason = activity.passive();
    // While the server shuts down, answers close their connections, whichever region is active.
    context.closing = desk.reception.draining || reason !== undefined;
    if (reason === undefined) return;
    logger.warn({ state: activity.state }, `orders are refused: ${reason}`);
    connections.endStreams(reason);
  });
}

/** Closes connections after their credentials have ended, and keeps the log lines about the files of TLS up to date. */
export function watchCredentials({ desk, identity, connections }: ServerParts, started: AsyncDisposableStack): void {
  const timer = setInterval(() => {
    connections.endCredentials(desk.authenticator);
    // Called because it logs each trouble; the answer is not needed here.
    identity.tls?.trouble(desk.reception.clock.now());
  }, CHECK_MS).unref();
  started.defer(() => clearInterval(timer));
}

/**
 * Shuts the server down: takes no new orders, waits until those in flight are answered (until the drain timeout at the longest), then closes
 * all that was started, in reverse order.
 */
export async function shutDown(parts: ServerParts, listening: Listening, started: AsyncDisposableStack): Promise<void> {
  const { options, desk, context, connections } = parts;
  const { config, logger, role, intake } = options;
  desk.reception.draining = true;
  context.closing = true;
  listening.stop();
  const drained = Promise.all([desk.reception.drained(), exchangesOver(context), connections.transport?.drain()]);
  await settlesWithin(systemTimers, config.ORDERMESH_DRAIN_TIMEOUT, drained);
  await intake.close();
  connections.endStreams('service restart');
  // Answers that were written in this pass of the event loop are sent before the sockets are closed.
  await new Promise((resolve) => setImmediate(resolve));
  await started.disposeAsync();
  logger.info(`${role} stopped`);
}
