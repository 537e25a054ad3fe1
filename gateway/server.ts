import { hostPort } from '../contracts/local-url.ts';
import type { RunningRole } from '../contracts/roles.ts';
import { buildServer } from './server/build.ts';
import { followRegion, shutDown, watchCredentials } from './server/life-cycle.ts';
import { mountTransports, mountVitals } from './server/mount.ts';
import type { IntakeServerOptions } from './server/options.ts';

/**
 * Takes orders over HTTP and WebSocket, for any intake: `startGateway` gives it Kafka, the edge agent gives it the spool.
 * @throws ConfigError for a combination of settings that cannot be; Error naming the port when it is taken.
 */
export async function startIntakeServer(options: IntakeServerOptions): Promise<RunningRole> {
  const { config, logger, role } = options;
  // Closed in reverse order, when the start fails or the server is closed.
  await using started = new AsyncDisposableStack();
  const parts = await buildServer(options, started);
  followRegion(parts);
  const listening = await mountTransports(parts, started);
  watchCredentials(parts, started);
  const shown = await mountVitals(parts, started);
  const scheme = config.TLS_CERT_FILE === undefined ? 'http' : 'https';
  const { port } = listening;
  logger.info({ host: config.ORDERMESH_HOST, port }, `${role} takes orders`);

  const running = started.move();
  let closing: Promise<void> | undefined;
  return {
    addresses: {
      [role]: `${scheme}://${hostPort(config.ORDERMESH_HOST, port)}`,
      ...parts.connections.transport?.addresses,
      ...shown.addresses,
    },
    close: () => {
      closing ??= shutDown(parts, listening, running);
      return closing;
    },
  };
}
