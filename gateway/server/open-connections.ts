// Knows the open connections of a server, and closes them. Created by build.ts.

import type { Logger } from '../../telemetry/logger.ts';
import type { Transport } from '../front-desk.ts';
import type { Authenticator } from '../identity/identity.ts';
import type { GatewayMetrics } from '../metrics.ts';
import type { Stream } from '../websocket/stream.ts';

/** Close code for a server that restarts (IANA registry of RFC 6455): the client connects again, to another instance. */
const SERVICE_RESTART = 1012;

/** The long-lived connections of one server: WebSocket streams, and those of the other transport. */
export class OpenConnections {
  readonly streams: Set<Stream>;
  /** The transport beside HTTP and WebSocket, once it is open. */
  transport: Transport | undefined;
  readonly #metrics: GatewayMetrics;
  readonly #logger: Logger;

  constructor(streams: Set<Stream>, metrics: GatewayMetrics, logger: Logger) {
    this.streams = streams;
    this.#metrics = metrics;
    this.#logger = logger;
  }

  /** Closes the connections whose credentials have ended: expired, revoked, or signed by a key that is not trusted any more. */
  endCredentials(authenticator: Authenticator): void {
    let ended = 0;
    for (const stream of this.streams) {
      const why = authenticator.ended?.(stream.identity);
      if (why !== undefined && stream.endCredentials(why)) ended++;
    }
    ended += this.transport?.endCredentials(authenticator) ?? 0;
    if (ended === 0) return;
    this.#metrics.credentialsEnded += ended;
    this.#logger.info({ connections: ended }, 'connections are closed: their credentials have ended');
  }

  /** Closes the WebSocket streams, so that their clients connect to another instance. */
  endStreams(reason: string): void {
    for (const stream of this.streams) stream.end(SERVICE_RESTART, reason);
  }
}
