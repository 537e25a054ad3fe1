// The status codes of gRPC, and whose fault a failed publish is. Used by ordered-publisher.ts and topology.ts.

/** The gRPC status codes by name: google.rpc.Code. */
export const grpcStatus = {
  cancelled: 1,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  alreadyExists: 6,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  aborted: 10,
  outOfRange: 11,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  dataLoss: 15,
  unauthenticated: 16,
} as const;

/**
 * Whose fault a failed publish of one message is.
 *
 * - `message`: Pub/Sub refuses its content. Retried, then parked.
 * - `outage`: Pub/Sub is down, overloaded, or refuses us. Good messages wait.
 * - `unclear`: neither is known. Waited out like an outage; parked if the same message keeps failing while others succeed.
 */
export type GrpcFault = 'message' | 'outage' | 'unclear';

const faults: Readonly<Record<number, GrpcFault>> = {
  [grpcStatus.cancelled]: 'outage',
  [grpcStatus.unknown]: 'unclear',
  [grpcStatus.invalidArgument]: 'message',
  [grpcStatus.deadlineExceeded]: 'outage',
  // The topic is missing and will be created again.
  [grpcStatus.notFound]: 'outage',
  [grpcStatus.alreadyExists]: 'unclear',
  // Permissions and keys can be corrected. Until then every good message would be refused.
  [grpcStatus.permissionDenied]: 'outage',
  // A quota; also a message that the client considers too large.
  [grpcStatus.resourceExhausted]: 'unclear',
  // A disabled key, a schema, or an ordering key in another region.
  [grpcStatus.failedPrecondition]: 'unclear',
  [grpcStatus.aborted]: 'outage',
  [grpcStatus.outOfRange]: 'message',
  [grpcStatus.unimplemented]: 'outage',
  // Also a message that could not be serialized.
  [grpcStatus.internal]: 'unclear',
  [grpcStatus.unavailable]: 'outage',
  [grpcStatus.dataLoss]: 'unclear',
  [grpcStatus.unauthenticated]: 'outage',
};

export function grpcFault(status: number | undefined): GrpcFault {
  return faults[status ?? -1] ?? 'unclear';
}

export function statusOf(error: unknown): number | undefined {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'number' ? code : undefined;
}
