// The routes that take orders. Added by server/mount.ts.

import type { HttpRequest, HttpResponse, TemplatedApp } from 'uWebSockets.js';
import { limits } from '../../contracts/limits.ts';
import { stage } from '../../telemetry/stages/stage.ts';
import { threadStages } from '../../telemetry/stages/stage-clock.ts';
import type { Authenticator } from '../identity/identity.ts';
import type { Route } from '../metrics.ts';
import type { Reception } from '../orders/reception.ts';
import { Batch } from './batch.ts';
import { acceptedCodings, UnpackError, unpack } from './content-coding.ts';
import { Exchange, type ExchangeContext } from './exchange.ts';
import { identify } from './identify.ts';
import { echo } from './problem-answer.ts';
import { traceparentOf } from './traceparent.ts';

export interface OrderRoutesOptions {
  context: ExchangeContext;
  authenticator: Authenticator;
  reception: Reception;
}

const OVERLOADED = 'too many bytes of orders are in flight in this instance';

const jsonTypes = ['application/json'];
const ndjsonTypes = ['application/x-ndjson', 'application/ndjson', 'application/jsonl'];

/** Takes a body in full, of an exchange whose identity and trace context are set. */
type TakeBody = (body: Buffer, exchange: Exchange) => void;

/** `POST /v1/orders` and `POST /v1/orders/batch`. */
export function addOrderRoutes(app: TemplatedApp, { context, authenticator, reception }: OrderRoutesOptions): void {
  const takeOrder: TakeBody = (body, exchange) => {
    exchange.bytes = body;
    exchange.size = body.length;
    reception.submit(exchange);
  };

  const takeBatch: TakeBody = (body, exchange) => {
    const batch = new Batch(body);
    if (batch.refusal === undefined) batch.submit(reception, exchange);
    else exchange.problem(batch.refusal);
  };

  /** The same for a packed body. When the client is gone before the body is unpacked, the orders in it are dropped. */
  function unpacking(coding: string, bytesMax: number, take: TakeBody): TakeBody {
    return async (packed, exchange) => {
      // The packed and the unpacked body are in memory at the same time.
      const bytes = packed.length + bytesMax;
      if (!context.admission.hold(bytes)) {
        exchange.refuse('overloaded', OVERLOADED);
        return;
      }
      let body: Buffer;
      try {
        body = await unpack(coding, packed, bytesMax);
      } catch (error) {
        if (!(error instanceof UnpackError)) throw error;
        exchange.refuse(error.code, error.message);
        return;
      } finally {
        context.admission.unhold(bytes);
      }
      if (!exchange.over) timed(() => take(body, exchange));
    };
  }

  /** A body may take until the upload's time limit, and its token may end meanwhile. */
  function hasEnded(exchange: Exchange): boolean {
    const why = exchange.tookLong ? authenticator.ended?.(exchange.identity) : undefined;
    if (why !== undefined) exchange.refuse('unauthenticated', why);
    return why !== undefined;
  }

  function post(route: Route, types: readonly string[], bytesMax: number, take: TakeBody) {
    const takes = new Map(acceptedCodings.map((coding) => [coding, unpacking(coding, bytesMax, take)]));
    takes.set('', take);
    takes.set('identity', take);
    const receive = (res: HttpResponse, req: HttpRequest) => {
      const exchange = new Exchange(res, req, route, context);
      const contentLength = req.getHeader('content-length');
      // Before any other check, because this refusal must end the connection.
      if (contentLength === '' && exchange.refuseUnknownCoding(req)) return;
      const contentType = req.getHeader('content-type');
      if (!isOneOf(types, contentType)) {
        exchange.refuse('unsupported-media-type', `send Content-Type ${types[0]}, not ${echo(contentType)}`);
        return;
      }
      const coding = req.getHeader('content-encoding');
      const takeCoded = coding === '' ? take : takes.get(coding.toLowerCase());
      if (takeCoded === undefined) {
        const accepted = acceptedCodings.join(', ');
        exchange.refuse('unsupported-media-type', `the Content-Encoding ${echo(coding)} is none of ${accepted}`, {
          'accept-encoding': accepted,
        });
        return;
      }
      const authorization = req.getHeader('authorization');
      exchange.traceparent = traceparentOf(req.getHeader('traceparent'));
      const identity = authenticator.known(authorization);
      if (identity !== undefined) {
        exchange.identity = identity;
        exchange.body(contentLength, bytesMax, (body) => {
          if (!hasEnded(exchange)) takeCoded(body, exchange);
        });
        return;
      }
      const verified = identify(authenticator, authorization, exchange);
      // With a client certificate, `identify` refuses before it returns.
      if (exchange.over) return;
      exchange.body(contentLength, bytesMax, async (body) => {
        // The body stays in memory until the token is checked, even if the client disconnects.
        if (!context.admission.hold(body.length)) {
          exchange.refuse('overloaded', OVERLOADED);
          return;
        }
        const fresh = await verified;
        context.admission.unhold(body.length);
        if (fresh === undefined) return;
        exchange.identity = fresh;
        if (!hasEnded(exchange)) timed(() => takeCoded(body, exchange));
      });
    };
    return (res: HttpResponse, req: HttpRequest) => timed(() => receive(res, req));
  }

  app.post('/v1/orders', post('order', jsonTypes, limits.orderBytesMax, takeOrder));
  app.post('/v1/orders/batch', post('batch', ndjsonTypes, limits.batchBytesMax, takeBatch));
}

/** One of the callbacks in which a request is read. */
function timed(read: () => void): void {
  const isTimed = threadStages.begin(stage.read);
  try {
    read();
  } finally {
    if (isTimed) threadStages.end();
  }
}

function isOneOf(types: readonly string[], contentType: string): boolean {
  if (types[0] === contentType) return true;
  const essence = contentType.split(';', 1)[0]?.trim().toLowerCase();
  return essence !== undefined && types.includes(essence);
}
