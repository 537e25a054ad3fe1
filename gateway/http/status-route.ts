import type { HttpRequest, HttpResponse, TemplatedApp } from 'uWebSockets.js';
import { isOrderId } from '../../contracts/order/order.ts';
import type { Authenticator } from '../identity/identity.ts';
import type { StatusReader } from '../status/status-reader.ts';
import { Exchange, type ExchangeContext } from './exchange.ts';
import { identify } from './identify.ts';

export interface StatusRouteOptions {
  context: ExchangeContext;
  authenticator: Authenticator;
  statuses: StatusReader;
}

/** `GET /v1/orders/<id>`, for the token's store only. */
export function addStatusRoute(app: TemplatedApp, { context, authenticator, statuses }: StatusRouteOptions): void {
  async function answer(orderId: string, authorization: string, exchange: Exchange): Promise<void> {
    const identity = await identify(authenticator, authorization, exchange);
    if (identity === undefined) return;
    await statuses.read(orderId, identity, {
      found: ({ storeId, status, history }) => exchange.json(200, { orderId, storeId, status, history }),
      refuse: (refusal) => exchange.problem(refusal),
    });
  }

  const handler = (res: HttpResponse, req: HttpRequest) => {
    const orderId = req.getParameter(0) ?? '';
    if (orderId === 'batch') {
      // `/v1/orders/batch` has a route of its own; here it is asked with a wrong method.
      req.setYield(true);
      return;
    }
    const exchange = new Exchange(res, req, 'status', context);
    if (isOrderId(orderId)) void answer(orderId, req.getHeader('authorization'), exchange);
    else exchange.refuse('not-found', 'the path names no orderId (a UUID in lower case)');
  };
  app.get('/v1/orders/:orderId', handler);
  app.head('/v1/orders/:orderId', handler);
}
