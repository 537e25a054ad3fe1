import type { HttpRequest, HttpResponse, TemplatedApp, us_socket_context_t, WebSocket } from 'uWebSockets.js';
import { limits } from '../contracts/limits.ts';
import { Exchange, type ExchangeContext } from './exchange.ts';
import { identify } from './identify.ts';
import type { Authenticator, Identity } from './identity.ts';
import type { Reception } from './reception.ts';
import { Stream, type StreamData } from './stream.ts';
import { codecs } from './stream-codec.ts';

export interface StreamRouteOptions {
  context: ExchangeContext;
  authenticator: Authenticator;
  reception: Reception;
  /** The open streams, kept by this route. */
  streams: Set<Stream>;
}

/** Room for the envelope around the largest order. */
const ENVELOPE_BYTES = 1_024;

/** A silent connection is pinged, and closed when no pong comes within this time. */
const IDLE_TIMEOUT_S = 60;

/** A client that does not read its answers is disconnected at this backlog; it repeats its unanswered orders. */
const BACKPRESSURE_BYTES_MAX = 1_048_576;

/** Browsers cannot set an Authorization header on a WebSocket, so they send the token as one more subprotocol. */
const BEARER_PROTOCOL = 'bearer.';

/** `/v1/stream`: orders in and answers out on one connection, pipelined. */
export function addStreamRoute(app: TemplatedApp, options: StreamRouteOptions): void {
  const { context, authenticator, reception, streams } = options;
  const metrics = context.metrics;

  function upgrade(res: HttpResponse, req: HttpRequest, socket: us_socket_context_t): void {
    const exchange = new Exchange(res, req, 'stream', context);
    const key = req.getHeader('sec-websocket-key');
    const extensions = req.getHeader('sec-websocket-extensions');
    const offered = req
      .getHeader('sec-websocket-protocol')
      .split(',')
      .map((name) => name.trim());
    const authorization = req.getHeader('authorization') || bearerOf(offered);
    const protocol = offered.find((name) => Object.hasOwn(codecs, name));
    const codec = protocol === undefined ? undefined : codecs[protocol];
    if (protocol === undefined || codec === undefined) {
      exchange.refuse('malformed-request', `offer one of the subprotocols ${Object.keys(codecs).join(', ')}`);
      return;
    }
    if (reception.draining) {
      exchange.refuse('draining', 'this instance is shutting down');
      return;
    }
    const proceed = (identity: Identity) =>
      exchange.handOver((response) =>
        response.upgrade<StreamData>({ identity, codec }, key, protocol, extensions, socket),
      );
    const identity = authenticator.known(authorization);
    if (identity !== undefined) proceed(identity);
    else
      void identify(authenticator, authorization, exchange).then((fresh) => {
        if (fresh !== undefined) proceed(fresh);
      });
  }

  app.ws<StreamData>('/v1/stream', {
    maxPayloadLength: limits.orderBytesMax + ENVELOPE_BYTES,
    idleTimeout: IDLE_TIMEOUT_S,
    sendPingsAutomatically: true,
    maxBackpressure: BACKPRESSURE_BYTES_MAX,
    closeOnBackpressureLimit: true,
    upgrade,
    open(ws: WebSocket<StreamData>) {
      const data = ws.getUserData();
      data.stream = new Stream(ws, data, reception);
      streams.add(data.stream);
      metrics.streams += 1;
    },
    message(ws, message, isBinary) {
      ws.getUserData().stream?.receive(Buffer.from(message), isBinary);
    },
    close(ws) {
      const { stream } = ws.getUserData();
      if (stream === undefined) return;
      stream.closed();
      streams.delete(stream);
      metrics.streams -= 1;
    },
  });
}

function bearerOf(offered: string[]): string {
  const token = offered.find((name) => name.startsWith(BEARER_PROTOCOL));
  return token === undefined ? '' : `Bearer ${token.slice(BEARER_PROTOCOL.length)}`;
}
