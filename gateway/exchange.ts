import type { HttpRequest, HttpResponse } from 'uWebSockets.js';
import { STATUS_CODES } from 'node:http';
import { type ErrorCode, type Problem, problem } from '../contracts/errors.ts';
import type { Admission } from './admission.ts';
import type { GatewayMetrics, Route } from './metrics.ts';
import { isRetryLater } from './problem-answer.ts';

/** What all exchanges of one server share. */
export interface ExchangeContext {
  readonly region: string;
  /** Value of the first header of a 202 and all that follows it, up to the orderId in its Location. */
  readonly acceptedHead: string;
  readonly admission: Admission;
  readonly metrics: GatewayMetrics;
  /** Whether answers close their connection, so that clients move to another instance. */
  closing: boolean;
  /** Exchanges that are not yet answered nor aborted. */
  open: number;
}

export function exchangeContext(region: string, admission: Admission, metrics: GatewayMetrics): ExchangeContext {
  const acceptedHead = `application/json\r\nx-ordermesh-region: ${region}\r\nlocation: /v1/orders/`;
  return { region, acceptedHead, admission, metrics, closing: false, open: 0 };
}

/** A longer x-request-id is not one, and is not repeated. */
const REQUEST_ID_MAX = 128;

export type AnswerHeaders = Record<string, string>;

/**
 * One HTTP request and its answer. uWebSockets.js takes the request away when its handler returns, the body's bytes when
 * `onData` returns and the response when the client goes; this class is where those three rules are kept.
 */
export class Exchange {
  readonly context: ExchangeContext;
  readonly #res: HttpResponse;
  readonly #route: Route;
  readonly #requestId: string;
  readonly #isHead: boolean;
  /** Answered or aborted: the response may not be touched any more. */
  #over = false;

  constructor(res: HttpResponse, req: HttpRequest, route: Route, context: ExchangeContext) {
    this.#res = res;
    this.#route = route;
    this.context = context;
    context.open += 1;
    res.onAborted(() => this.#finish());
    this.#requestId = req.getHeader('x-request-id');
    this.#isHead = route !== 'order' && req.getMethod() === 'head';
  }

  get over(): boolean {
    return this.#over;
  }

  /** The hot path of `send`: an accepted order. */
  accepted(orderId: string): void {
    if (this.#over) return;
    this.#finish();
    this.context.metrics.request(this.#route, 202);
    const res = this.#res;
    res.cork(() => {
      res.writeStatus('202 Accepted');
      // The fixed headers and the Location as the value of one: every call into uWebSockets.js costs more than the bytes do. An
      // orderId is a UUID by now, so nothing can be smuggled into the head.
      res.writeHeader('content-type', this.context.acceptedHead + orderId);
      this.#echoRequestId();
      res.end(`{"orderId":"${orderId}","status":"accepted"}`, this.context.closing);
    });
  }

  refused(refusal: Problem): void {
    this.problem(refusal);
  }

  json(status: number, body: unknown, headers?: AnswerHeaders): void {
    this.send(status, 'application/json', JSON.stringify(body), headers);
  }

  problem(body: Problem, headers: AnswerHeaders = {}): void {
    if (isRetryLater(body)) headers['retry-after'] = String(this.context.admission.retryAfterS());
    if (body.status === 401) headers['www-authenticate'] = 'Bearer realm="ordermesh"';
    this.send(body.status, 'application/problem+json', JSON.stringify(body), headers);
  }

  refuse(code: ErrorCode, detail: string, headers?: AnswerHeaders): void {
    this.problem(problem(code, detail), headers);
  }

  send(status: number, contentType: string, body: string, headers?: AnswerHeaders): void {
    if (this.#over) return;
    this.#finish();
    this.context.metrics.request(this.#route, status);
    const res = this.#res;
    res.cork(() => {
      res.writeStatus(`${status} ${STATUS_CODES[status] ?? 'Unknown'}`);
      res.writeHeader('content-type', contentType);
      for (const name in headers) res.writeHeader(name, headers[name] as string);
      res.writeHeader('x-ordermesh-region', this.context.region);
      this.#echoRequestId();
      if (this.#isHead) res.endWithoutBody(Buffer.byteLength(body), this.context.closing);
      else res.end(body, this.context.closing);
    });
  }

  /**
   * Gives the connection to another protocol, which ends this exchange. Before the request's handler returns only: a later upgrade must
   * be corked, and a corked one makes uWebSockets.js close the new connection now and then (uNetworking/uWebSockets#1928).
   */
  handOver(take: (res: HttpResponse) => void): void {
    this.#finish();
    this.context.metrics.request(this.#route, 101);
    take(this.#res);
  }

  /**
   * Collects the body and hands over a copy of it. A body above `bytesMax`, or one for whose bytes there is no room, is answered here
   * and `handle` is not called. Must be called before the request's handler returns.
   */
  body(contentLength: string, bytesMax: number, handle: (bytes: Buffer) => void): void {
    if (Number(contentLength) > bytesMax) {
      this.refuse('body-too-large', `the body has ${contentLength} bytes; at most ${bytesMax} are taken`);
      return;
    }
    const { admission } = this.context;
    let parts: Buffer[] | undefined;
    let size = 0;
    let held = 0;
    const release = () => {
      admission.unhold(held);
      held = 0;
      parts = undefined;
    };
    this.#release = release;
    this.#res.onData((chunk, isLast) => {
      if (this.#over) return;
      size += chunk.byteLength;
      if (size > bytesMax) {
        this.refuse('body-too-large', `the body has more than ${bytesMax} bytes`);
        return;
      }
      // The chunk's memory is uWebSockets.js's own again after this callback.
      const copy = Buffer.allocUnsafe(chunk.byteLength);
      copy.set(new Uint8Array(chunk));
      if (parts === undefined && isLast) {
        handle(copy);
        return;
      }
      if (!admission.hold(copy.length)) {
        this.refuse('overloaded', 'too many bytes of orders are under way in this instance');
        return;
      }
      held += copy.length;
      parts ??= [];
      parts.push(copy);
      if (!isLast) return;
      const whole = Buffer.concat(parts, size);
      release();
      handle(whole);
    });
  }

  #release: (() => void) | undefined;

  #echoRequestId(): void {
    if (this.#requestId !== '' && this.#requestId.length <= REQUEST_ID_MAX)
      this.#res.writeHeader('x-request-id', this.#requestId);
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.context.open -= 1;
    this.#release?.();
  }
}
