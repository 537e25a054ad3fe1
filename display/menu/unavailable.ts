// What a store cannot sell now, for the page: `GET /v1/stores/<store>/unavailable`. Mounted by page-server.ts, made by server.ts.

import type { HttpRequest, TemplatedApp } from 'uWebSockets.js';
import type { UnavailableItem } from '../../contracts/menu/availability.ts';
import { BoundedPool, type DatabaseServer, unavailableItems } from '../../store/index.ts';

/** All screens of a store share one answer for this long, so that they may ask often. */
const SHARED_MS = 1_000;
const STORES_MAX = 10_000;
const ANSWER_MS_MAX = 3_000;

/** Rejects while the database does not answer. */
export type ReadUnavailable = (storeId: string) => Promise<readonly UnavailableItem[]>;

export function unavailableOf(server: DatabaseServer): { read: ReadUnavailable; close(): Promise<void> } {
  const pool = new BoundedPool({
    server,
    connections: 1,
    application: 'ordermesh-display-menu',
    answerMsMax: ANSWER_MS_MAX,
  });
  const shared = new Map<string, { until: number; items: Promise<UnavailableItem[]> }>();
  return {
    read(storeId) {
      const now = performance.now();
      const known = shared.get(storeId);
      if (known !== undefined && known.until > now) return known.items;
      if (shared.size >= STORES_MAX) shared.clear();
      const items = pool.call((database) => unavailableItems(database, storeId));
      shared.set(storeId, { until: now + SHARED_MS, items });
      return items;
    },
    close: () => pool.close(),
  };
}

export interface UnavailableRouteOptions {
  read: ReadUnavailable;
  /** Why the request may not see the store; `undefined` if it may. Reads the request before it waits. Never rejects. */
  refusalOf(request: HttpRequest, storeId: string): Promise<{ status: string; text: string } | undefined>;
}

/** Answers `{"storeId","unavailable":[{"sku","since","reason"}]}`. */
export function unavailableRoute(app: TemplatedApp, { read, refusalOf }: UnavailableRouteOptions): void {
  app.get('/v1/stores/:store/unavailable', (response, request) => {
    const storeId = request.getParameter(0) ?? '';
    let isGone = false;
    response.onAborted(() => {
      isGone = true;
    });
    const send = (status: string, body: object) => {
      // uWebSockets.js frees a response whose client is gone; a later touch would end the process.
      if (isGone) return;
      response.cork(() => {
        response.writeStatus(status).writeHeader('Content-Type', 'application/json');
        response.writeHeader('Cache-Control', 'no-store').end(JSON.stringify(body));
      });
    };
    void refusalOf(request, storeId).then(async (refusal) => {
      if (refusal !== undefined) {
        send(refusal.status, { detail: refusal.text });
        return;
      }
      try {
        send('200 OK', { storeId, unavailable: await read(storeId) });
      } catch {
        // The display's own watch of the database logs the outage and tells the screens.
        send('503 Service Unavailable', { detail: 'the database does not answer; ask again' });
      }
    });
  });
}
