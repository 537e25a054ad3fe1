import type { HttpRequest, HttpResponse, TemplatedApp } from 'uWebSockets.js';
import { limits } from '../contracts/limits.ts';
import { Batch } from './batch.ts';
import { Exchange, type ExchangeContext } from './exchange.ts';
import { identify } from './identify.ts';
import type { Authenticator, Identity } from './identity.ts';
import type { Route } from './metrics.ts';
import { echo } from './problem-answer.ts';
import type { Reception } from './reception.ts';
import { traceparentOf } from './traceparent.ts';

export interface OrderRoutesOptions {
  context: ExchangeContext;
  authenticator: Authenticator;
  reception: Reception;
}

const jsonTypes = ['application/json'];
const ndjsonTypes = ['application/x-ndjson', 'application/ndjson', 'application/jsonl'];

type TakeBody = (body: Buffer, identity: Identity, traceparent: string, exchange: Exchange) => void;

/** `POST /v1/orders` and `POST /v1/orders/batch`. */
export function addOrderRoutes(app: TemplatedApp, { context, authenticator, reception }: OrderRoutesOptions): void {
  const takeOrder: TakeBody = (body, identity, traceparent, exchange) =>
    reception.submit(body, identity, traceparent, exchange);

  const takeBatch: TakeBody = (body, identity, traceparent, exchange) => {
    const batch = new Batch(body);
    if (batch.refusal === undefined) batch.submit(reception, identity, traceparent, exchange);
    else exchange.problem(batch.refusal);
  };

  function post(route: Route, types: readonly string[], bytesMax: number, take: TakeBody) {
    return (res: HttpResponse, req: HttpRequest) => {
      const exchange = new Exchange(res, req, route, context);
      const contentType = req.getHeader('content-type');
      if (!isOneOf(types, contentType)) {
        exchange.refuse('unsupported-media-type', `send Content-Type ${types[0]}, not ${echo(contentType)}`);
        return;
      }
      if (req.getHeader('content-encoding') !== '') {
        exchange.refuse('unsupported-media-type', 'send the body without Content-Encoding');
        return;
      }
      const authorization = req.getHeader('authorization');
      const traceparent = traceparentOf(req.getHeader('traceparent'));
      const contentLength = req.getHeader('content-length');
      const identity = authenticator.known(authorization);
      if (identity !== undefined) {
        exchange.body(contentLength, bytesMax, (body) => take(body, identity, traceparent, exchange));
        return;
      }
      const verified = identify(authenticator, authorization, exchange);
      exchange.body(contentLength, bytesMax, async (body) => {
        const fresh = await verified;
        if (fresh !== undefined) take(body, fresh, traceparent, exchange);
      });
    };
  }

  app.post('/v1/orders', post('order', jsonTypes, limits.orderBytesMax, takeOrder));
  app.post('/v1/orders/batch', post('batch', ndjsonTypes, limits.batchBytesMax, takeBatch));
}

function isOneOf(types: readonly string[], contentType: string): boolean {
  if (types[0] === contentType) return true;
  const essence = contentType.split(';', 1)[0]?.trim().toLowerCase();
  return essence !== undefined && types.includes(essence);
}
