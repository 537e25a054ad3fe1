// Turns problems into gRPC errors. Used by call.ts and submit-stream.ts.

import { Metadata } from '@grpc/grpc-js';
import type { Problem } from '../../contracts/errors.ts';
import { grpcStatus, grpcStatusOf } from '../../contracts/grpc-status.ts';
import { isRetryLater } from '../http/problem-answer.ts';
import { messageType } from './definition.ts';

/** Domain of our ErrorInfo: its reasons are the codes of `docs/errors.md`. */
const DOMAIN = 'ordermesh';

/** `google.rpc.Status` as the proto loader takes it. */
export interface RpcStatus {
  code: number;
  message: string;
  details: { type_url: string; value: Buffer }[];
}

/** The error that ends a failed gRPC call. */
export interface CallError {
  code: number;
  details: string;
  metadata: Metadata;
}

const statusType = messageType('google.rpc.Status');
const detailTypes = {
  'google.rpc.ErrorInfo': messageType('google.rpc.ErrorInfo'),
  'google.rpc.BadRequest': messageType('google.rpc.BadRequest'),
  'google.rpc.RetryInfo': messageType('google.rpc.RetryInfo'),
};

/**
 * A problem as `google.rpc.Status` with the standard details: ErrorInfo always, BadRequest for invalid fields, RetryInfo where a
 * later retry may succeed.
 * @param retryAfterS seconds until the retry, where the problem itself has none
 * @param orderId where the order was readable enough to have one
 */
export function rpcStatus(problem: Problem, retryAfterS: () => number, orderId?: string): RpcStatus {
  const { code, title, detail, errors } = problem;
  const metadata: Record<string, string> = { code, title };
  if (orderId !== undefined) metadata.orderId = orderId;
  const reason = code.replaceAll('-', '_').toUpperCase();
  const details = [any('google.rpc.ErrorInfo', { reason, domain: DOMAIN, metadata })];
  if (errors !== undefined) {
    const fieldViolations = errors.map(({ pointer, detail: description }) => ({
      field: fieldPath(pointer),
      description,
    }));
    details.push(any('google.rpc.BadRequest', { fieldViolations }));
  }
  if (isRetryLater(problem)) {
    const seconds = problem.retryAfterS ?? retryAfterS();
    details.push(any('google.rpc.RetryInfo', { retryDelay: { seconds } }));
  }
  return { code: grpcStatus[grpcStatusOf(problem.status)], message: detail, details };
}

/** The same as the error of a call; the details are sent as `grpc-status-details-bin`. */
export function callError(problem: Problem, retryAfterS: () => number, orderId?: string): CallError {
  const status = rpcStatus(problem, retryAfterS, orderId);
  const metadata = new Metadata();
  metadata.set('grpc-status-details-bin', statusType.serialize(status));
  return { code: status.code, details: status.message, metadata };
}

function any(name: keyof typeof detailTypes, value: object): { type_url: string; value: Buffer } {
  return { type_url: `type.googleapis.com/${name}`, value: detailTypes[name].serialize(value) };
}

/** A JSON Pointer into the order as the path of a field of the request: `/items/0/unitPrice` is `order.items[0].unit_price`. */
export function fieldPath(pointer: string): string {
  let path = 'order';
  for (const segment of pointer.split('/').slice(1))
    path += /^\d+$/.test(segment)
      ? `[${segment}]`
      : `.${segment.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`;
  return path;
}
