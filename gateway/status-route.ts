import type { HttpRequest, HttpResponse, TemplatedApp } from 'uWebSockets.js';
import type { OrderStatus } from '../contracts/events.ts';
import { Exchange, type ExchangeContext } from './exchange.ts';
import { identify } from './identify.ts';
import type { Authenticator, Identity } from './identity.ts';
import type { Reception } from './reception.ts';

/** An order and its history as the store knows it. */
export interface KnownOrder {
  orderId: string;
  /** Empty where the store does not know it: an order that was parked before it was decided. */
  storeId: string;
  status: OrderStatus;
  /** `at` is RFC 3339; `detail` says in words why it was rejected, declined or parked. */
  history: readonly { status: OrderStatus; at: string; detail?: string }[];
}

/** Reads an order's status; rejects while the store of statuses is down. */
export type StatusLookup = (orderId: string) => Promise<KnownOrder | undefined>;

export interface StatusRouteOptions {
  context: ExchangeContext;
  authenticator: Authenticator;
  reception: Reception;
  /** Absent: this server knows only what it accepted itself. */
  lookup: StatusLookup | undefined;
}

/** Questions under way at once: a slow database makes the next ones fail fast instead of piling up. */
const LOOKUPS_MAX = 256;
const LOOKUP_TIMEOUT_MS = 3_000;

const ORDER_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** `GET /v1/orders/<id>`, for the token's store only. Reads the database; the way in for orders does not depend on it. */
export function addStatusRoute(app: TemplatedApp, options: StatusRouteOptions): void {
  const { context, authenticator, reception, lookup } = options;
  const find = bounded(lookup ?? (async () => undefined));

  async function answer(orderId: string, authorization: string, exchange: Exchange): Promise<void> {
    const identity = await identify(authenticator, authorization, exchange);
    if (identity === undefined) return;
    let known: KnownOrder | undefined;
    try {
      known = await find(orderId);
    } catch {
      exchange.refuse('status-unavailable', 'the status of orders cannot be read at the moment');
      return;
    }
    const recent = acceptedHere(orderId);
    known ??= recent;
    if (known?.storeId === '' && recent !== undefined) known = { ...known, storeId: recent.storeId };
    if (known === undefined || !mayRead(identity, known)) exchange.refuse('not-found', `order ${orderId} is not known`);
    else exchange.json(200, { orderId, storeId: known.storeId, status: known.status, history: known.history });
  }

  /** Between the 202 and the validator's decision the store does not know the order yet. */
  function acceptedHere(orderId: string): KnownOrder | undefined {
    const recent = reception.recent.get(orderId);
    if (recent === undefined || recent.acceptedAt === 0) return undefined;
    const at = new Date(recent.acceptedAt).toISOString();
    return { orderId, storeId: recent.storeId, status: 'accepted', history: [{ status: 'accepted', at }] };
  }

  const handler = (res: HttpResponse, req: HttpRequest) => {
    const orderId = req.getParameter(0) ?? '';
    if (orderId === 'batch') {
      // That path has a route of its own, which answers for a wrong method.
      req.setYield(true);
      return;
    }
    const exchange = new Exchange(res, req, 'status', context);
    if (ORDER_ID.test(orderId)) void answer(orderId, req.getHeader('authorization'), exchange);
    else exchange.refuse('not-found', 'the path names no orderId (a UUID in lower case)');
  };
  app.get('/v1/orders/:orderId', handler);
  app.head('/v1/orders/:orderId', handler);
}

function mayRead(identity: Identity, order: KnownOrder): boolean {
  return identity.store === undefined || identity.store === order.storeId;
}

function bounded(lookup: StatusLookup): StatusLookup {
  let underWay = 0;
  return async (orderId) => {
    if (underWay >= LOOKUPS_MAX) throw new Error('too many status questions are under way');
    underWay += 1;
    const found = lookup(orderId).finally(() => {
      underWay -= 1;
    });
    return withTimeout(found, LOOKUP_TIMEOUT_MS);
  };
}

function withTimeout<T>(promise: Promise<T>, timeoutMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
