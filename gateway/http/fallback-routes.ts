// The routes for wrong methods, preflights and unknown paths. Added by server/mount.ts.

import type { HttpRequest, HttpResponse, TemplatedApp } from 'uWebSockets.js';
import { Exchange, type ExchangeContext } from './exchange.ts';
import { availabilityPath, menuPath } from './menu-routes.ts';
import { echo } from './problem-answer.ts';

/** The methods of each path. A request with another method is answered with 405 and this list. */
export const allowed: readonly (readonly [pattern: string, methods: string])[] = [
  ['/v1/orders', 'POST, OPTIONS'],
  ['/v1/orders/batch', 'POST, OPTIONS'],
  ['/v1/orders/:orderId', 'GET, HEAD, OPTIONS'],
  [menuPath, 'GET, HEAD, OPTIONS'],
  [availabilityPath, 'PUT, OPTIONS'],
  ['/v1/stream', 'GET, OPTIONS'],
  ['/openapi.json', 'GET, HEAD, OPTIONS'],
  ['/asyncapi.json', 'GET, HEAD, OPTIONS'],
];

/** Requests that no other route takes: OPTIONS, a wrong method, a plain GET of the stream, an unknown path. */
export function addFallbackRoutes(app: TemplatedApp, context: ExchangeContext): void {
  for (const [pattern, methods] of allowed) {
    app.any(pattern, (res: HttpResponse, req: HttpRequest) => {
      const exchange = new Exchange(res, req, 'unknown', context);
      const method = req.getMethod().toUpperCase();
      if (method === 'OPTIONS') {
        const isPreflight = req.getHeader('access-control-request-method') !== '';
        const preflight = isPreflight ? context.cors?.preflight(methods) : {};
        exchange.send(200, 'text/plain', '', { allow: methods, ...preflight });
      } else if (methods.split(', ').includes(method))
        exchange.refuse('malformed-request', 'this path is a WebSocket endpoint; send an Upgrade request');
      else exchange.refuse('method-not-allowed', `${method} is not one of ${methods}`, { allow: methods });
    });
  }
  app.any('/*', (res: HttpResponse, req: HttpRequest) => {
    const exchange = new Exchange(res, req, 'unknown', context);
    exchange.refuse('not-found', `there is nothing at ${echo(req.getUrl())}`);
  });
}
