// Decides which pages of other origins may call, and makes their headers. Used by exchange.ts and fallback-routes.ts.

/** Longest time that a browser keeps the answer of a preflight, in seconds; Chromium caps it there. */
const PREFLIGHT_AGE_S = 7_200;

const REQUEST_HEADERS = 'authorization, content-type, content-encoding, if-none-match, traceparent, x-request-id';
const EXPOSED_HEADERS = 'location, retry-after, etag, x-ordermesh-region, x-request-id, accept-encoding, allow';

/**
 * Cross-origin requests of browsers (Fetch standard, section 3.3). Requests carry a token and no cookies, so an allowed origin gets no
 * `Access-Control-Allow-Credentials`.
 */
export class Cors {
  readonly #origins: ReadonlySet<string>;
  readonly #any: boolean;

  constructor(origins: readonly string[]) {
    this.#origins = new Set(origins);
    this.#any = this.#origins.has('*');
  }

  /** The origin to name in the answer; empty when the origin is not allowed, or the request has none. */
  allowed(origin: string): string {
    return origin !== '' && (this.#any || this.#origins.has(origin)) ? origin : '';
  }

  /** The headers of every answer to this allowed origin, as the value of `Access-Control-Allow-Origin` and all that follows it. */
  head(origin: string): string {
    return `${origin}\r\naccess-control-expose-headers: ${EXPOSED_HEADERS}`;
  }

  /** Further headers of the answer to a preflight. */
  preflight(methods: string): Record<string, string> {
    return {
      'access-control-allow-methods': methods,
      'access-control-allow-headers': REQUEST_HEADERS,
      'access-control-max-age': String(PREFLIGHT_AGE_S),
    };
  }
}
