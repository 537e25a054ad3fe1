import type { Problem } from '../../contracts/errors.ts';

/** Longest prefix of a client's own text that is repeated in an answer. */
const ECHO_MAX = 80;

/** Whether an answer with this status tells when to come again. */
export function isRetryLater(problem: Problem): boolean {
  return problem.status === 503 || problem.status === 429;
}

/** Text of the client, shortened for a problem's detail. */
export function echo(text: string): string {
  return JSON.stringify(text.length > ECHO_MAX ? `${text.slice(0, ECHO_MAX)}…` : text);
}
