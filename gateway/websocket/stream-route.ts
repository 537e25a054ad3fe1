// The route of the WebSocket: creates a stream for each connection. Added by server/mount.ts.

import type { HttpRequest, HttpResponse, TemplatedApp, us_socket_context_t, WebSocket } from 'uWebSockets.js';
import { limits } from '../../contracts/limits.ts';
import { Exchange, type ExchangeContext } from '../http/exchange.ts';
import { echo } from '../http/problem-answer.ts';
import { type Authenticator, type Identity, TokenError } from '../identity/identity.ts';
import type { Reception } from '../orders/reception.ts';
import { Stream, UNAUTHENTICATED } from './stream.ts';
import { codecs, type StreamCodec } from './stream-codec.ts';

export interface StreamRouteOptions {
  context: ExchangeContext;
  authenticator: Authenticator;
  reception: Reception;
  /** The open streams, kept by this route. */
  streams: Set<Stream>;
  /** How long a connection may be silent, in seconds. */
  idleTimeoutS: number;
  /** Called when a stream has opened. */
  onStream: (() => void) | undefined;
}

/** The largest order with room for the envelope around it. */
const FRAME_BYTES_MAX = limits.orderBytesMax + 1_024;

/** A client that does not read its answers is disconnected at this backlog; it repeats its unanswered orders. */
const BACKPRESSURE_BYTES_MAX = 1_048_576;

/** Browsers cannot set an Authorization header on a WebSocket, so they send the token as one more subprotocol. */
const BEARER_PROTOCOL = 'bearer.';

/** Registered close codes (RFC 6455 and its IANA registry). */
const POLICY_VIOLATION = 1008;
const TRY_AGAIN_LATER = 1013;

/** The data of one connection, which uWebSockets.js keeps with the socket. */
interface Connection {
  codec: StreamCodec;
  /** The Authorization header, or the token of the subprotocol in its form. */
  authorization: string;
  /** The identity of the client certificate; absent for a connection with a token. */
  certified: Identity | undefined;
  /** Absent while the token of the connection is being verified. */
  stream: Stream | undefined;
  /** Frames that came before the token was verified. */
  early: { bytes: Buffer; isBinary: boolean }[];
  earlyBytes: number;
  closed: boolean;
}

type Socket = WebSocket<Connection>;

/** `/v1/stream`: orders in and answers out on one connection, pipelined. */
export function addStreamRoute(app: TemplatedApp, options: StreamRouteOptions): void {
  const { context, authenticator, reception, streams, onStream } = options;

  function upgrade(res: HttpResponse, req: HttpRequest, socket: us_socket_context_t): void {
    const exchange = new Exchange(res, req, 'stream', context);
    const offered = req
      .getHeader('sec-websocket-protocol')
      .split(',')
      .map((name) => name.trim());
    const protocol = offered.find((name) => Object.hasOwn(codecs, name));
    const codec = protocol === undefined ? undefined : codecs[protocol];
    const authorization = req.getHeader('authorization') || bearerOf(offered);
    if (protocol === undefined || codec === undefined)
      exchange.refuse('malformed-request', `offer one of the subprotocols ${Object.keys(codecs).join(', ')}`);
    else if (reception.draining) exchange.refuse('draining', 'this instance is shutting down');
    else if (reception.passive !== undefined) exchange.refuse('region-passive', reception.passive);
    else {
      const isAnonymous = authorization === '' && authenticator.known('') === undefined;
      const certified = isAnonymous ? certifiedBy(exchange, req.getHeader('origin')) : undefined;
      if (isAnonymous && certified === undefined) return;
      const key = req.getHeader('sec-websocket-key');
      const extensions = req.getHeader('sec-websocket-extensions');
      const data: Connection = {
        codec,
        authorization,
        certified,
        stream: undefined,
        early: [],
        earlyBytes: 0,
        closed: false,
      };
      exchange.handOver((response) => response.upgrade(data, key, protocol, extensions, socket));
    }
  }

  /** The identity of the client certificate, or `undefined` after the exchange was answered. */
  function certifiedBy(exchange: Exchange, origin: string): Identity | undefined {
    const certificate = exchange.certificate();
    if (certificate === '')
      exchange.refuse('unauthenticated', 'send the token as Authorization header or as subprotocol bearer.<JWT>');
    // A browser uses its user's certificate for any page, and lets any page open a WebSocket.
    else if (origin !== '' && !context.cors?.allowed(origin))
      exchange.refuse('forbidden', `pages of ${echo(origin)} may not use a client certificate here`);
    else
      try {
        return authenticator.certified?.(certificate);
      } catch (error) {
        if (!(error instanceof TokenError)) throw error;
        exchange.refuse('unauthenticated', error.message);
      }
    return undefined;
  }

  function attach(ws: Socket, connection: Connection, identity: Identity): void {
    const stream = new Stream(ws, connection.codec, identity, reception);
    connection.stream = stream;
    streams.add(stream);
    onStream?.();
    dropEarly(connection, (bytes, isBinary) => stream.receive(bytes, isBinary));
  }

  /** Ends the wait of the early frames: `take` gets them, or they are dropped. */
  function dropEarly(connection: Connection, take?: (bytes: Buffer, isBinary: boolean) => void): void {
    for (const { bytes, isBinary } of connection.early.splice(0)) {
      context.admission.unhold(bytes.length);
      take?.(bytes, isBinary);
    }
  }

  /** The upgrade cannot wait for the token's verification (see `Exchange.handOver`), so the first frames do. */
  async function attachVerified(ws: Socket, connection: Connection): Promise<void> {
    try {
      const identity = await authenticator.verify(connection.authorization);
      if (!connection.closed) attach(ws, connection, identity);
    } catch (error) {
      if (connection.closed) return;
      if (error instanceof TokenError) ws.end(UNAUTHENTICATED, error.message);
      else ws.end(TRY_AGAIN_LATER, 'the keys that sign tokens could not be read');
    }
  }

  app.ws<Connection>('/v1/stream', {
    maxPayloadLength: FRAME_BYTES_MAX,
    // uWebSockets.js pings a silent connection 4 to 16 s before.
    idleTimeout: options.idleTimeoutS,
    sendPingsAutomatically: true,
    maxBackpressure: BACKPRESSURE_BYTES_MAX,
    closeOnBackpressureLimit: true,
    upgrade,
    open(ws) {
      context.metrics.streams++;
      const connection = ws.getUserData();
      const identity = connection.certified ?? authenticator.known(connection.authorization);
      if (identity !== undefined) attach(ws, connection, identity);
      else void attachVerified(ws, connection);
    },
    message(ws, message, isBinary) {
      const connection = ws.getUserData();
      if (connection.stream !== undefined) {
        connection.stream.receive(Buffer.from(message), isBinary);
        return;
      }
      connection.earlyBytes += message.byteLength;
      if (connection.earlyBytes > FRAME_BYTES_MAX)
        ws.end(POLICY_VIOLATION, 'too much was sent before the token was verified');
      else if (!context.admission.hold(message.byteLength))
        ws.end(TRY_AGAIN_LATER, 'too many bytes of orders are in flight in this instance');
      else connection.early.push({ bytes: Buffer.from(message.slice(0)), isBinary });
    },
    close(ws) {
      context.metrics.streams--;
      const connection = ws.getUserData();
      connection.closed = true;
      dropEarly(connection);
      if (connection.stream === undefined) return;
      connection.stream.closed();
      streams.delete(connection.stream);
    },
  });
}

function bearerOf(offered: string[]): string {
  const token = offered.find((name) => name.startsWith(BEARER_PROTOCOL));
  return token === undefined ? '' : `Bearer ${token.slice(BEARER_PROTOCOL.length)}`;
}
