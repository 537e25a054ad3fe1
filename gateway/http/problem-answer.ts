// Helpers for answers with a problem. Used by the routes, exchange.ts and grpc/error-details.ts.

import type { Problem } from '../../contracts/errors.ts';

/** An answer repeats at most this many characters of a client's text. */
const ECHO_MAX = 80;

/** Whether an answer with this status has a Retry-After. */
export function isRetryLater(problem: Problem): boolean {
  return problem.status === 503 || problem.status === 429;
}

/** Text of the client, shortened for a problem's detail. */
export function echo(text: string): string {
  return JSON.stringify(text.length > ECHO_MAX ? `${text.slice(0, ECHO_MAX)}…` : text);
}
