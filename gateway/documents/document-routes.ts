import type { HttpRequest, HttpResponse, TemplatedApp } from 'uWebSockets.js';
import { Exchange, type ExchangeContext } from '../http/exchange.ts';
import { asyncApi } from './asyncapi.ts';
import { openApi } from './openapi.ts';

/** `/openapi.json` and `/asyncapi.json`: public, made once at start. */
export function addDocumentRoutes(app: TemplatedApp, context: ExchangeContext): void {
  const documents = { '/openapi.json': openApi(), '/asyncapi.json': asyncApi() };
  for (const [path, document] of Object.entries(documents)) {
    const text = JSON.stringify(document);
    const handler = (res: HttpResponse, req: HttpRequest) =>
      new Exchange(res, req, 'document', context).send(200, 'application/json', text, {
        'cache-control': 'public, max-age=300',
      });
    app.get(path, handler);
    app.head(path, handler);
  }
}
