// The errors of all interfaces, and the problem documents that report them. Gateway and kitchen display answer with them.

import { grpcStatusOf } from './grpc-status.ts';
import type { FieldError } from './validation.ts';

interface ErrorRow {
  status: number;
  title: string;
  /** Whether the same request can succeed later without a change. */
  retryable: boolean;
  /** What the sender should do, one sentence for the documentation. */
  doc: string;
}

/** Every error that a client can meet: one table for code, HTTP status and documentation (`docs/errors.md` is made from it). */
export const errorTable = {
  'malformed-body': {
    status: 400,
    title: 'Malformed body',
    retryable: false,
    doc: 'Send valid UTF-8 JSON in which no object names a member twice.',
  },
  'malformed-request': {
    status: 400,
    title: 'Malformed request',
    retryable: false,
    doc: 'Mend the path, the headers or the frame named in the detail; a frame is valid UTF-8 and names no member twice, like a body.',
  },
  unauthenticated: {
    status: 401,
    title: 'Not authenticated',
    retryable: false,
    doc: 'Send `Authorization: Bearer <JWT>` from the configured issuer, not expired, or a client certificate where the gateway takes them.',
  },
  forbidden: {
    status: 403,
    title: 'Not allowed',
    retryable: false,
    doc: 'The token or certificate belongs to another store than the order or menu, or pages of this origin may not use the certificate.',
  },
  'not-found': {
    status: 404,
    title: 'Not found',
    retryable: false,
    doc: 'Check the path, the orderId, the store or the SKU; an order of another store is not found either.',
  },
  'method-not-allowed': {
    status: 405,
    title: 'Method not allowed',
    retryable: false,
    doc: 'Use one of the methods in the Allow header.',
  },
  'upload-timeout': {
    status: 408,
    title: 'Upload timed out',
    retryable: true,
    doc: 'The line is too slow for the body: send the same again on a new connection, packed (`Content-Encoding: gzip`) or in smaller batches.',
  },
  'order-conflict': {
    status: 409,
    title: 'Order already exists with other content',
    retryable: false,
    doc: 'An orderId names one order for ever: use a new orderId for a changed order.',
  },
  'ticket-moved-on': {
    status: 409,
    title: 'Ticket has moved on',
    retryable: false,
    doc: 'Another screen was faster: look at the ticket again before you repeat the command.',
  },
  'body-too-large': {
    status: 413,
    title: 'Body too large',
    retryable: false,
    doc: 'Send fewer orders in a batch, or a smaller order.',
  },
  'unsupported-media-type': {
    status: 415,
    title: 'Unsupported media type',
    retryable: false,
    doc: 'Send the Content-Type that the detail names, and no Content-Encoding but those of Accept-Encoding.',
  },
  'invalid-order': {
    status: 422,
    title: 'Invalid order',
    retryable: false,
    doc: 'Mend the fields listed in `errors`.',
  },
  'menu-mismatch': {
    status: 422,
    title: 'Order does not fit the menu',
    retryable: false,
    doc: 'The agent of the restaurant refuses what the region would reject: mend the prices and items listed in `errors` by `GET /v1/menus/<store>`.',
  },
  'invalid-menu-change': {
    status: 422,
    title: 'Invalid change of a menu',
    retryable: false,
    doc: 'Mend the fields listed in `errors`.',
  },
  'rate-limited': {
    status: 429,
    title: 'Too many requests',
    retryable: true,
    doc: 'Wait for Retry-After seconds, then send again.',
  },
  'internal-error': {
    status: 500,
    title: 'Internal error',
    retryable: true,
    doc: 'Send the same order again; the orderId keeps it from counting twice.',
  },
  'unknown-transfer-coding': {
    status: 501,
    title: 'Unknown transfer coding',
    retryable: false,
    doc: 'Send one Content-Length, or `Transfer-Encoding: chunked` and no other coding; the connection is closed.',
  },
  overloaded: {
    status: 503,
    title: 'Overloaded',
    retryable: true,
    doc: 'Wait for Retry-After seconds, then send the same order again.',
  },
  'log-unavailable': {
    status: 503,
    title: 'Order log unavailable',
    retryable: true,
    doc: 'The order was not accepted: wait for Retry-After seconds, then send the same order again.',
  },
  'spool-full': {
    status: 503,
    title: 'Spool full',
    retryable: true,
    doc: 'The disk of the restaurant takes no more orders until the region has taken some: call whoever looks after the line, then send the same order again.',
  },
  'region-passive': {
    status: 503,
    title: 'Region is passive',
    retryable: true,
    doc: 'Another region takes orders now, the detail names it: look its address up again and send the same order there.',
  },
  draining: {
    status: 503,
    title: 'Shutting down',
    retryable: true,
    doc: 'Send the order again; another instance takes it.',
  },
  'identity-unavailable': {
    status: 503,
    title: 'Identity unavailable',
    retryable: true,
    doc: 'The keys of the token issuer could not be read: send the same request again later.',
  },
  'tickets-unavailable': {
    status: 503,
    title: 'Ticket store unavailable',
    retryable: true,
    doc: 'The ticket stays as it is; repeat the command when the display says that it is live again.',
  },
  'command-unconfirmed': {
    status: 503,
    title: 'Command not confirmed',
    retryable: true,
    doc: 'The order log did not answer, so it is not known whether the command of the kitchen was stored. If it was, the ticket changes by itself; the same command again counts once.',
  },
  'status-unavailable': {
    status: 503,
    title: 'Status unavailable',
    retryable: true,
    doc: 'The database or the order log cannot be read just now, so what became of the order is not known; orders are still accepted. Ask again after Retry-After seconds.',
  },
  'menu-unavailable': {
    status: 503,
    title: 'Menu unavailable',
    retryable: true,
    doc: 'The menu cannot be read or changed just now; orders are still accepted. Send the same request again after Retry-After seconds: a change that was stored already counts once.',
  },
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof errorTable;

/** RFC 9457 problem details, as answered with `application/problem+json`. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: ErrorCode;
  errors?: FieldError[];
  /** Seconds to wait before the same request, for answers without a Retry-After header: a line of a batch, a frame. */
  retryAfterS?: number;
}

export function problem(code: ErrorCode, detail: string, errors?: FieldError[]): Problem {
  const { status, title } = errorTable[code];
  const body: Problem = { type: `urn:ordermesh:problem:${code}`, title, status, detail, code };
  if (errors !== undefined) body.errors = errors;
  return body;
}

/** `docs/errors.md`, made from the table; a test holds the file and the table together. */
export function errorDocs(): string {
  const rows = Object.entries<ErrorRow>(errorTable).map(
    ([code, { status, title, retryable, doc }]) =>
      `| \`${code}\` | ${status} | \`${grpcStatusOf(status)}\` | ${title} | ${retryable ? 'yes' : 'no'} | ${doc} |`,
  );
  return [
    '# Errors',
    '',
    'Every error that a client can meet: over HTTP as `application/problem+json` (RFC 9457), in WebSocket frames of type `error` as the same object, over gRPC as status with `ErrorInfo`. Generated from `contracts/errors.ts` by `npm run docs`.',
    '',
    '| code | HTTP | gRPC | title | same request can succeed later | what to do |',
    '| --- | --- | --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}
