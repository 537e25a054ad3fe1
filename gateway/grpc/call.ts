// What the gRPC handlers have in common: metadata, errors, identity. Used by server.ts and the handlers.

import { Metadata, type ServerUnaryCall } from '@grpc/grpc-js';
import { type Problem, problem } from '../../contracts/errors.ts';
import type { FrontDesk } from '../front-desk.ts';
import { type Caller, identify } from '../http/identify.ts';
import { newRequestId } from '../http/traceparent.ts';
import type { Identity } from '../identity/identity.ts';
import { type CallError, callError } from './error-details.ts';

/** What all handlers of one gRPC server share. */
export interface OrdersContext {
  desk: FrontDesk;
  region: string;
}

/** What is repeated in the answer; anything else is not a request id. */
const REQUEST_ID = /^[\x21-\x7e]{1,128}$/;

/** A metadata value of a request; empty where the request has none. The first of several values counts, as in our HTTP. */
export function textOf(metadata: Metadata, name: string): string {
  const value = metadata.get(name)[0];
  return typeof value === 'string' ? value : '';
}

/** The request's `x-request-id`; empty where there is none, or where it has characters that an answer cannot repeat. */
export function requestIdOf(metadata: Metadata): string {
  const requestId = textOf(metadata, 'x-request-id');
  return REQUEST_ID.test(requestId) ? requestId : '';
}

/** Metadata of an answer. */
export function answerMetadata(context: OrdersContext, requestId: string): Metadata {
  const metadata = new Metadata();
  metadata.set('x-ordermesh-region', context.region);
  if (requestId !== '') metadata.set('x-request-id', requestId);
  return metadata;
}

/**
 * The error that ends a failed call. Everything is in the trailers: if metadata were sent before, the retry policy of the client's library would
 * not retry the call.
 */
export function failure(context: OrdersContext, requestId: string, refusal: Problem, orderId?: string): CallError {
  const error = callError(refusal, () => context.desk.reception.admission.retryAfterS(), orderId);
  error.metadata.merge(answerMetadata(context, requestId === '' ? newRequestId() : requestId));
  return error;
}

/** The parts of a call that identify the caller. */
type IdentifiedCall = Pick<ServerUnaryCall<unknown, unknown>, 'metadata' | 'getAuthContext'>;

/**
 * Calls `next` with the identity of a call: at once where the token is known, else when token or certificate is verified. Until then the
 * admission counts the message of the call, which has `bytes` bytes.
 */
export function withIdentity(
  { authenticator, reception: { admission } }: FrontDesk,
  call: IdentifiedCall,
  bytes: number,
  refuse: (refusal: Problem) => void,
  next: (identity: Identity) => void,
): void {
  const authorization = textOf(call.metadata, 'authorization');
  const known = authenticator.known(authorization);
  if (known !== undefined) {
    next(known);
    return;
  }
  const caller: Caller = {
    certificate: () => call.getAuthContext().sslPeerCertificate?.raw,
    refuse: (code, detail) => refuse(problem(code, detail)),
  };
  if (!admission.hold(bytes)) {
    refuse(problem('overloaded', 'too many bytes of orders are in flight in this instance'));
    return;
  }
  void identify(authenticator, authorization, caller).then((identity) => {
    admission.unhold(bytes);
    if (identity !== undefined) next(identity);
  });
}
