// An HTTP request from its arrival to its answer. Every route creates one for each request.

import type { HttpRequest, HttpResponse } from 'uWebSockets.js';
import { STATUS_CODES } from 'node:http';
import type { Config } from '../../contracts/config/config.ts';
import { type ErrorCode, type Problem, problem } from '../../contracts/errors.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { stage } from '../../telemetry/stages/stage.ts';
import { threadStages } from '../../telemetry/stages/stage-clock.ts';
import type { Identity } from '../identity/identity.ts';
import type { GatewayMetrics, Route } from '../metrics.ts';
import type { Admission } from '../orders/admission.ts';
import type { Submission } from '../orders/reception.ts';
import { AcceptedAnswer } from './accepted-answer.ts';
import { Cors } from './cors.ts';
import { isRetryLater } from './problem-answer.ts';
import { newRequestId } from './traceparent.ts';
import { type Upload, Uploads } from './uploads.ts';

/** What all exchanges of one server share. */
export interface ExchangeContext {
  readonly region: string;
  readonly acceptedAnswer: AcceptedAnswer;
  readonly admission: Admission;
  readonly metrics: GatewayMetrics;
  /** The bodies that have not arrived in full. */
  readonly uploads: Uploads;
  /** Absent where no page of another origin may call. */
  readonly cors: Cors | undefined;
  /** Whether connections may come with a client certificate. */
  readonly clientCertificates: boolean;
  /** Called for every non-202 response when debug logging is on. */
  readonly log: ((answer: AnsweredRequest) => void) | undefined;
  /** Whether answers close their connection, so that clients move to another instance. */
  closing: boolean;
  /** Number of exchanges that are neither answered nor aborted. */
  open: number;
  /** Called when the last open exchange has ended; absent while no caller waits for that. */
  idle: (() => void) | undefined;
}

/** An answer as it is logged. */
export interface AnsweredRequest {
  route: Route;
  status: number;
  requestId: string;
}

/** Made once per server; the hot path reads it for each request. */
export function exchangeContext(
  config: Config,
  admission: Admission,
  metrics: GatewayMetrics,
  logger: Logger,
): ExchangeContext {
  const { REGION: region, ORDERMESH_CORS_ORIGINS: origins } = config;
  const clientCertificates = config.TLS_CLIENT_CA_FILE !== undefined;
  const cors = origins === undefined ? undefined : new Cors(origins);
  const log = logger.isLevelEnabled('debug')
    ? (answer: AnsweredRequest) => logger.debug(answer, 'answered')
    : undefined;
  const vary = cors === undefined ? '' : 'vary: origin\r\n';
  const acceptedAnswer = new AcceptedAnswer(`x-ordermesh-region: ${region}\r\n${vary}`);
  return {
    region,
    acceptedAnswer,
    admission,
    metrics,
    uploads: new Uploads(config.ORDERMESH_UPLOAD_TIMEOUT),
    cors,
    clientCertificates,
    log,
    closing: false,
    open: 0,
    idle: undefined,
  };
}

/** Resolves when every exchange is answered or aborted. */
export async function exchangesOver(context: ExchangeContext): Promise<void> {
  if (context.open === 0) return;
  await new Promise<void>((resolve) => {
    context.idle = resolve;
  });
}

/** A valid request id: repeated in the answer and kept in the log. */
const REQUEST_ID = /^[\x21-\x7e]{1,128}$/;

/** The package has this method on connections with TLS; its type declarations lack it. */
type CertifiedResponse = HttpResponse & { getX509Certificate(): string };

/** Size of the buffer in which uWebSockets.js collects an answer before it writes to the socket. */
const CORK_BUFFER_BYTES = 16 * 1024;

export type AnswerHeaders = Record<string, string>;

/**
 * One HTTP request and its answer. With uWebSockets.js the request is valid until its handler returns, the bytes of the body until `onData`
 * returns, and the response until the client disconnects. This class keeps these three rules for all routes.
 */
export class Exchange implements Upload, Submission {
  readonly context: ExchangeContext;
  readonly #res: HttpResponse;
  readonly #route: Route;
  /** The client's `x-request-id`; empty where the client sent none. */
  readonly requestId: string;
  /** A request with an order is that order's submission. Its route sets these four, before it submits the order. */
  bytes: Buffer | undefined;
  size = 0;
  identity!: Identity;
  traceparent = '';
  /** The page's origin if pages of it may call, else empty. */
  readonly #origin: string;
  readonly #isHead: boolean;
  /** Answered or aborted: the response may not be touched any more. */
  #over = false;

  constructor(res: HttpResponse, req: HttpRequest, route: Route, context: ExchangeContext) {
    this.#res = res;
    this.#route = route;
    this.context = context;
    context.open++;
    res.onAborted(() => this.#finish());
    const requestId = req.getHeader('x-request-id');
    this.requestId = requestId === '' || REQUEST_ID.test(requestId) ? requestId : '';
    this.#origin = context.cors === undefined ? '' : context.cors.allowed(req.getHeader('origin'));
    this.#isHead = route !== 'order' && req.getMethod() === 'head';
    // The routes of orders check this themselves, for requests without Content-Length: with Content-Length the parser refuses every coding.
    if (route !== 'order' && route !== 'batch') this.refuseUnknownCoding(req);
  }

  /**
   * Refuses a request whose Transfer-Encoding is not exactly `chunked`, and ends its connection. uWebSockets.js reads chunks whatever the header
   * says; a proxy in front may read the same bytes differently, and then one of the two sees a request that the other does not (request smuggling).
   * @returns whether the request was refused
   */
  refuseUnknownCoding(req: HttpRequest): boolean {
    if (req.getHeader('transfer-encoding') === '' || isPlainlyChunked(req)) return false;
    this.#endConnection(problem('unknown-transfer-coding', 'send one Content-Length, or Transfer-Encoding: chunked'));
    return true;
  }

  /**
   * Answers and closes the connection before uWebSockets.js parses the bytes that follow. `end` with its closing flag is not enough: it still serves
   * further requests of the same read. And `close` drops an answer that is in the cork buffer, so the answer is padded with spaces to be longer
   * than that buffer.
   */
  #endConnection(refusal: Problem): void {
    const { context } = this;
    this.#finish();
    context.metrics.request(this.#route, refusal.status);
    const requestId = this.requestId === '' ? newRequestId() : this.requestId;
    context.log?.({ route: this.#route, status: refusal.status, requestId });
    const body = JSON.stringify(refusal).padEnd(CORK_BUFFER_BYTES);
    const head = [
      `${refusal.status} ${STATUS_CODES[refusal.status] ?? 'Unknown'}`,
      'content-type: application/problem+json',
      `content-length: ${Buffer.byteLength(body)}`,
      'connection: close',
      `x-ordermesh-region: ${context.region}`,
      `x-request-id: ${requestId}`,
    ];
    // uWebSockets.js writes the text of the status unchanged, with all lines after it.
    this.#res.writeStatus(`${head.join('\r\n')}\r\n\r\n${body}`);
    this.#res.close();
  }

  /** Whether the body took more than one read: what was checked before may hold no more. */
  get tookLong(): boolean {
    return this.#tookLong;
  }

  get over(): boolean {
    return this.#over;
  }

  /** The client's certificate as PEM, verified by the handshake; empty where it has none. Before the request's handler returns only. */
  certificate(): string {
    return this.context.clientCertificates && !this.#over ? (this.#res as CertifiedResponse).getX509Certificate() : '';
  }

  /** The hot path of `send`: an accepted order. */
  accepted(orderId: string): void {
    if (this.#over) return;
    this.#finish();
    this.context.metrics.request(this.#route, 202);
    const { acceptedAnswer, closing } = this.context;
    const res = this.#res;
    res.cork(() => {
      acceptedAnswer.fill(orderId);
      res.writeStatus(acceptedAnswer.head);
      if (this.requestId !== '') res.writeHeader('x-request-id', this.requestId);
      if (this.#origin !== '') this.#writeOrigin();
      res.end(acceptedAnswer.body, closing);
    });
  }

  /** A refused order. */
  refused(refusal: Problem): void {
    this.problem(refusal);
  }

  json(status: number, body: unknown, headers?: AnswerHeaders): void {
    this.send(status, 'application/json', JSON.stringify(body), headers);
  }

  problem(body: Problem, headers: AnswerHeaders = {}): void {
    if (isRetryLater(body)) headers['retry-after'] = String(body.retryAfterS ?? this.context.admission.retryAfterS());
    if (body.status === 401) headers['www-authenticate'] = 'Bearer realm="ordermesh"';
    this.send(body.status, 'application/problem+json', JSON.stringify(body), headers);
  }

  refuse(code: ErrorCode, detail: string, headers?: AnswerHeaders): void {
    this.problem(problem(code, detail), headers);
  }

  send(status: number, contentType: string, body: string, headers?: AnswerHeaders): void {
    if (this.#over) return;
    const { context } = this;
    // uWebSockets.js forgets the time limit of a connection whose body goes on after the answer.
    const isLast = context.closing || this.#awaitsBody;
    this.#finish();
    context.metrics.request(this.#route, status);
    // A client may report this answer, so the answer gets a request id even if the client sent none. An accepted order has its orderId.
    const requestId = this.requestId === '' ? newRequestId() : this.requestId;
    context.log?.({ route: this.#route, status, requestId });
    const res = this.#res;
    res.cork(() => {
      res.writeStatus(`${status} ${STATUS_CODES[status] ?? 'Unknown'}`);
      res.writeHeader('content-type', contentType);
      for (const name in headers) res.writeHeader(name, headers[name] as string);
      res.writeHeader('x-ordermesh-region', context.region);
      res.writeHeader('x-request-id', requestId);
      if (context.cors !== undefined) res.writeHeader('vary', 'origin');
      if (this.#origin !== '') this.#writeOrigin();
      if (this.#isHead) res.endWithoutBody(Buffer.byteLength(body), isLast);
      else res.end(body, isLast);
    });
  }

  /** The client has this content already (RFC 9110, section 15.4.5). */
  notModified(headers: AnswerHeaders): void {
    if (this.#over) return;
    const { context } = this;
    this.#finish();
    context.metrics.request(this.#route, 304);
    const res = this.#res;
    res.cork(() => {
      res.writeStatus('304 Not Modified');
      for (const name in headers) res.writeHeader(name, headers[name] as string);
      res.writeHeader('x-ordermesh-region', context.region);
      if (this.requestId !== '') res.writeHeader('x-request-id', this.requestId);
      if (context.cors !== undefined) res.writeHeader('vary', 'origin');
      if (this.#origin !== '') this.#writeOrigin();
      res.endWithoutBody(undefined, context.closing);
    });
  }

  /**
   * Gives the connection to another protocol, which ends this exchange. Only before the request's handler returns: a later upgrade must
   * be corked, and after a corked upgrade uWebSockets.js sometimes closes the new connection (uNetworking/uWebSockets#1928).
   */
  handOver(take: (res: HttpResponse) => void): void {
    if (this.#over) return;
    this.#finish();
    this.context.metrics.request(this.#route, 101);
    take(this.#res);
  }

  /**
   * Collects the body and calls `handle` with a copy of it. A body of more than `bytesMax` bytes, or one for which the admission has no room, is
   * refused here and `handle` is not called. Must be called before the request's handler returns.
   */
  body(contentLength: string, bytesMax: number, handle: (bytes: Buffer) => void): void {
    if (Number(contentLength) > bytesMax) {
      this.refuse('body-too-large', `the body has ${contentLength} bytes; at most ${bytesMax} are taken`);
      return;
    }
    this.#awaitsBody = true;
    // With Content-Length, uWebSockets.js calls `onData` at once, if only with an empty chunk.
    if (contentLength === '') this.#watchUpload();
    this.#res.onData((chunk, isLast) => {
      const timed = threadStages.begin(stage.read);
      try {
        this.#receive(chunk, isLast, bytesMax, handle);
      } finally {
        if (timed) threadStages.end();
      }
    });
  }

  #receive(chunk: ArrayBuffer, isLast: boolean, bytesMax: number, handle: (bytes: Buffer) => void): void {
    if (this.#over) return;
    if (this.#held + chunk.byteLength > bytesMax) {
      this.refuse('body-too-large', `the body has more than ${bytesMax} bytes`);
      return;
    }
    const copy = copyOf(chunk);
    if (isLast && this.#parts === undefined) {
      this.#bodyIsHere();
      handle(copy);
    } else if (this.#hold(copy) && isLast) {
      const whole = Buffer.concat(this.#parts ?? []);
      this.#bodyIsHere();
      handle(whole);
    }
  }

  /** More of the body is to come. */
  #awaitsBody = false;
  #isUpload = false;
  #tookLong = false;
  /** The parts that have arrived of a body that takes more than one read, and their bytes, which the admission counts. */
  #parts: Buffer[] | undefined;
  #held = 0;

  /** Keeps a part of a body. @returns false if the admission has no room for it; the request is then refused */
  #hold(part: Buffer): boolean {
    if (!this.context.admission.hold(part.length)) {
      this.refuse('overloaded', 'too many bytes of orders are in flight in this instance');
      return false;
    }
    this.#held += part.length;
    this.#parts ??= [];
    this.#parts.push(part);
    this.#watchUpload();
    return true;
  }

  #watchUpload(): void {
    this.#isUpload = true;
    this.#tookLong = true;
    this.context.uploads.add(this);
  }

  /** The body is here in full, or the request is over. */
  #bodyIsHere(): void {
    this.#awaitsBody = false;
    if (!this.#isUpload) return;
    this.context.uploads.delete(this);
    this.context.admission.unhold(this.#held);
    this.#held = 0;
    this.#parts = undefined;
    this.#isUpload = false;
  }

  keepOpen(): void {
    if (this.#over) return;
    // Resuming restarts the timer of uWebSockets.js.
    this.#res.pause();
    this.#res.resume();
  }

  expire(): void {
    this.refuse('upload-timeout', `the body did not arrive within ${this.context.uploads.timeoutMs / 1_000} s`);
  }

  #writeOrigin(): void {
    const { cors } = this.context;
    if (cors !== undefined) this.#res.writeHeader('access-control-allow-origin', cors.head(this.#origin));
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.#bodyIsHere();
    const { context } = this;
    context.open--;
    if (context.idle !== undefined && context.open === 0) context.idle();
  }
}

function isPlainlyChunked(req: HttpRequest): boolean {
  const codings: string[] = [];
  req.forEach((name, value) => {
    if (name === 'transfer-encoding') codings.push(value.trim().toLowerCase());
  });
  return codings.length === 1 && codings[0] === 'chunked';
}

/** Copies the chunk: uWebSockets.js reuses its memory after the callback. */
function copyOf(chunk: ArrayBuffer): Buffer {
  const copy = Buffer.allocUnsafe(chunk.byteLength);
  copy.set(new Uint8Array(chunk));
  return copy;
}
