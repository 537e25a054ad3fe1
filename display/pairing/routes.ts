// The HTTP routes by which a page asks for its admission. Mounted by page-server.ts.

import type { HttpRequest, HttpResponse, TemplatedApp } from 'uWebSockets.js';
import { cookieFor, tokenOf } from './credentials.ts';
import type { ScreenDoor } from './door.ts';

/** Names are short; a longer one does not come from our page. */
const STORE_LENGTH_MAX = 64;

export interface PairingRoutes {
  /** `undefined`: the display is open to all who reach it. */
  door: ScreenDoor | undefined;
  /** In the name of the cookie. */
  port(): number;
  isTls: boolean;
  /** Answers a request that must not be here, and returns true. */
  refuse(response: HttpResponse, request: HttpRequest): boolean;
}

export function pairingRoutes(app: TemplatedApp, { door, port, isTls, refuse }: PairingRoutes): void {
  app.get('/v1/screens/me', (response, request) => {
    if (refuse(response, request)) return;
    if (door === undefined) return send(response, '200 OK', { access: 'open' });
    const token = tokenOf(request, port());
    const isSecure = isTls || request.getHeader('x-forwarded-proto') === 'https';
    const isAlive = aliveness(response);
    void door.accessOf(token).then((access) => {
      if (!isAlive()) return;
      const status = access.access === 'unknown' ? '503 Service Unavailable' : '200 OK';
      // A screen in use keeps its cookie for as long as its admission.
      send(response, status, access, access.access === 'paired' ? cookieFor(token, port(), isSecure) : undefined);
    });
  });
  app.post('/v1/screens/pairing', (response, request) => {
    if (refuse(response, request)) return;
    if (door === undefined) return send(response, '200 OK', { access: 'open' });
    const token = tokenOf(request, port());
    const isSecure = isTls || request.getHeader('x-forwarded-proto') === 'https';
    const store = request.getQuery('store')?.slice(0, STORE_LENGTH_MAX);
    const address = Buffer.from(response.getRemoteAddressAsText()).toString();
    const isAlive = aliveness(response);
    void door.pair(token, store === '' ? undefined : store, address).then(({ token: kept, access }) => {
      if (!isAlive()) return;
      if (access.access === 'full') return send(response, '429 Too Many Requests', access);
      const status = access.access === 'unknown' ? '503 Service Unavailable' : '200 OK';
      send(response, status, access, access.access === 'waiting' ? cookieFor(kept, port(), isSecure) : undefined);
    });
  });
}

/** uWebSockets.js frees a response whose client is gone; a later touch would end the process. */
function aliveness(response: HttpResponse): () => boolean {
  let alive = true;
  response.onAborted(() => {
    alive = false;
  });
  return () => alive;
}

function send(response: HttpResponse, status: string, body: object, cookie?: string): void {
  response.cork(() => {
    response
      .writeStatus(status)
      .writeHeader('Content-Type', 'application/json')
      .writeHeader('Cache-Control', 'no-store');
    if (cookie !== undefined) response.writeHeader('Set-Cookie', cookie);
    if (!status.startsWith('200')) response.writeHeader('Retry-After', '5');
    response.end(JSON.stringify(body));
  });
}
