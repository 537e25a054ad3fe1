// The routes of menus. Added by server/mount.ts.

import type { HttpRequest, HttpResponse, TemplatedApp } from 'uWebSockets.js';
import { instantYears, isInstant } from '../../contracts/order/instant.ts';
import type { Authenticator } from '../identity/identity.ts';
import type { MenuDesk } from '../menus/menu-desk.ts';
import { Exchange, type ExchangeContext } from './exchange.ts';
import { identify } from './identify.ts';
import { echo } from './problem-answer.ts';

export interface MenuRoutesOptions {
  context: ExchangeContext;
  authenticator: Authenticator;
  menus: MenuDesk;
}

export const menuPath = '/v1/menus/:storeId';
export const availabilityPath = '/v1/menus/:storeId/items/:sku/availability';

const storedYears = new RegExp(instantYears);
const CHANGE_BYTES_MAX = 4_096;
/** A client may keep a menu, and asks each time whether it still counts. */
const CACHE_CONTROL = 'private, no-cache';

/** `GET /v1/menus/<store>` and `PUT /v1/menus/<store>/items/<sku>/availability`, for the token's store only. */
export function addMenuRoutes(app: TemplatedApp, { context, authenticator, menus }: MenuRoutesOptions): void {
  const read = (res: HttpResponse, req: HttpRequest) => {
    const exchange = new Exchange(res, req, 'menu', context);
    if (exchange.over) return;
    const storeId = parameter(req, 0);
    const at = instantOf(req.getQuery('at'));
    if (at === 'wrong') {
      const given = echo(req.getQuery('at') ?? '');
      exchange.refuse('malformed-request', `\`at\` is ${given}; it takes an instant such as 2026-11-22T10:00:00Z`);
      return;
    }
    const known = req.getHeader('if-none-match');
    void withIdentity(exchange, req, async (identity) =>
      menus.read(storeId, at, identity, {
        found(body, etag) {
          const headers = { etag, 'cache-control': CACHE_CONTROL };
          if (matches(known, etag)) exchange.notModified(headers);
          else exchange.send(200, 'application/json', body, headers);
        },
        refuse: (refusal) => exchange.problem(refusal),
      }),
    );
  };

  const change = (res: HttpResponse, req: HttpRequest) => {
    const exchange = new Exchange(res, req, 'menu', context);
    if (exchange.over) return;
    const [storeId, sku] = [parameter(req, 0), parameter(req, 1)];
    const contentType = req.getHeader('content-type');
    if (contentType.split(';', 1)[0]?.trim().toLowerCase() !== 'application/json') {
      exchange.refuse('unsupported-media-type', `send Content-Type application/json, not ${echo(contentType)}`);
      return;
    }
    const contentLength = req.getHeader('content-length');
    const verified = identify(authenticator, req.getHeader('authorization'), exchange);
    // With a client certificate, `identify` refuses before it returns.
    if (exchange.over) return;
    exchange.body(contentLength, CHANGE_BYTES_MAX, async (body) => {
      const identity = await verified;
      if (identity === undefined) return;
      await menus.change(storeId, sku, body, identity, {
        found: (state) => exchange.send(200, 'application/json', state),
        refuse: (refusal) => exchange.problem(refusal),
      });
    });
  };

  async function withIdentity(
    exchange: Exchange,
    req: HttpRequest,
    use: (identity: NonNullable<Awaited<ReturnType<typeof identify>>>) => Promise<void>,
  ): Promise<void> {
    const identity = await identify(authenticator, req.getHeader('authorization'), exchange);
    if (identity !== undefined) await use(identity);
  }

  app.get(menuPath, read);
  app.head(menuPath, read);
  app.put(availabilityPath, change);
}

/** A text that is no store id or SKU names nothing, so it is answered as unknown. */
function parameter(req: HttpRequest, index: number): string {
  return req.getParameter(index) ?? '';
}

function instantOf(text: string | undefined): Date | 'wrong' | undefined {
  if (text === undefined) return undefined;
  // A plus sign that was not encoded arrives as a space.
  const instant = text.replace(/ (?=\d\d:\d\d$)/, '+');
  return isInstant(instant) && storedYears.test(instant) ? new Date(instant) : 'wrong';
}

/** If-None-Match names one tag, several, or any; a proxy may have made them weak. */
function matches(header: string, etag: string): boolean {
  if (header === '') return false;
  return header === '*' || header.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag);
}
