/** The gRPC status codes that are told apart here; google.rpc.Code has them all. */
export const grpcStatus = { invalidArgument: 3, notFound: 5, alreadyExists: 6, outOfRange: 11 } as const;

export function statusOf(error: unknown): number | undefined {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'number' ? code : undefined;
}
