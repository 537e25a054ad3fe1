// Reads the region's answers to batches of orders. Called by forwarder.ts.

import type { Settlement, SpooledBatch } from '../spool/order.ts';
import type { UpstreamAnswer } from './upstream.ts';

/** The region's answer to a batch. */
export interface BatchAnswer {
  region: string;
  settlements: Settlement[];
  /** Orders of another store than the token's (403 in their line). Their senders got 202, so these orders wait for another token. */
  notAllowed?: { sequence: number; orderId: string; reason: string }[];
  /** Orders that the region did not decide on: they are sent again. */
  deferred: number;
  /** Seconds after which the region wants them again; 0 where it did not say. */
  retryAfterS: number;
}

/** An answer that does not settle the batch: an outage, a passive region, a wrong URL, or a captive portal that answers every request. */
export class NotAnAnswerError extends Error {
  override name = 'NotAnAnswerError';
  readonly retryAfterS: number;
  /** Whether the content of the batch may be the cause, as with a firewall that inspects it. */
  readonly blamesOrders: boolean;
  /** Whether a gateway gave this answer: then the line works, and the region takes no orders. */
  readonly isOfRegion: boolean;

  constructor(message: string, retryAfterS = 0, { blamesOrders = false, isOfRegion = false } = {}) {
    super(message);
    this.retryAfterS = retryAfterS;
    this.blamesOrders = blamesOrders;
    this.isOfRegion = isOfRegion;
  }
}

/** The region refuses the token, or the agent has no token: no order is at fault, and no order gets through until the token is replaced. */
export class TokenRefusedError extends NotAnAnswerError {
  override name = 'TokenRefusedError';
}

/** Statuses that an order in the batch may have caused. Any other status means that the region serves no agent now, or not with this token or URL. */
const blamingStatuses = new Set([400, 403, 406, 408, 413, 414, 415, 422, 431, 451, 500, 502]);

/** Refusals that the same bytes would get again. Orders with any other answer are sent again. */
const finalRefusals = new Set([400, 409, 413, 422]);

interface Problem {
  code?: string;
  detail?: string;
  errors?: { pointer?: string; detail?: string }[];
  retryAfterS?: number;
}

interface Result {
  index: number;
  status: number;
  orderId?: string;
  problem?: Problem;
}

/**
 * Reads the answer to a batch. An order counts as settled only where the answer names it by index and orderId.
 * @throws NotAnAnswerError
 */
export function readBatchAnswer(answer: UpstreamAnswer, batch: SpooledBatch): BatchAnswer {
  const { status, headers, body } = answer;
  const region = headers['x-ordermesh-region'];
  const retryAfterS = secondsOf(headers['retry-after']);
  if (status !== 207 || typeof region !== 'string' || region === '') throw refusalOf(answer);
  const settlements: Settlement[] = [];
  const notAllowed: NonNullable<BatchAnswer['notAllowed']> = [];
  const seen = new Set<number>();
  let retryLinesAfterS = retryAfterS;
  for (const result of resultsOf(body)) {
    const { index, status, orderId, problem } = result;
    const sequence = batch.sequences[index];
    if (sequence === undefined || seen.has(index) || (orderId !== undefined && orderId !== batch.orderIds[index]))
      throw new NotAnAnswerError('the answer is about other orders than were sent');
    if (status === 202 && orderId !== undefined) settlements.push({ sequence, region });
    else if (status === 403)
      notAllowed.push({ sequence, orderId: batch.orderIds[index] ?? '', reason: problemText(status, problem) });
    else if (finalRefusals.has(status)) settlements.push({ sequence, region, problem: problemText(status, problem) });
    else {
      retryLinesAfterS = Math.max(retryLinesAfterS, problem?.retryAfterS ?? 0);
      continue;
    }
    seen.add(index);
  }
  return {
    region,
    settlements,
    ...(notAllowed.length === 0 ? {} : { notAllowed }),
    deferred: batch.sequences.length - seen.size,
    retryAfterS: retryLinesAfterS,
  };
}

function resultsOf(body: Buffer): Result[] {
  try {
    const { results } = JSON.parse(body.toString()) as { results: unknown };
    if (Array.isArray(results) && results.every(isResult)) return results;
  } catch {
    // Not JSON: the error below says so.
  }
  throw new NotAnAnswerError('the answer is not from a gateway', 0, { blamesOrders: true });
}

function isResult(value: unknown): value is Result {
  if (typeof value !== 'object' || value === null) return false;
  const { index, status, orderId, problem = {} } = value as Record<keyof Result, unknown>;
  if (typeof index !== 'number' || typeof status !== 'number' || !isAbsentOr('string', orderId)) return false;
  if (typeof problem !== 'object' || problem === null) return false;
  const { code, detail, errors = [], retryAfterS } = problem as Record<keyof Problem, unknown>;
  const areErrors = Array.isArray(errors) && errors.every((error) => typeof error === 'object' && error !== null);
  return areErrors && isAbsentOr('string', code) && isAbsentOr('string', detail) && isAbsentOr('number', retryAfterS);
}

function isAbsentOr(type: 'string' | 'number', value: unknown): boolean {
  return value === undefined || typeof value === type;
}

function problemText(status: number, problem: Result['problem']): string {
  const fields = problem?.errors?.map(({ pointer, detail }) => `${pointer ?? ''} ${detail ?? ''}`.trim()) ?? [];
  return [`${problem?.code ?? status}: ${problem?.detail ?? 'no detail'}`, ...fields].join('; ').slice(0, 1_000);
}

/** The meaning of an answer that has no results for single orders. */
export function refusalOf({ status, headers, body }: UpstreamAnswer): NotAnAnswerError {
  const retryAfterS = secondsOf(headers['retry-after']);
  const said = problemOf(body);
  if (said === undefined)
    return new NotAnAnswerError(`${status} is not the answer of a gateway to a batch`, retryAfterS, {
      blamesOrders: blamingStatuses.has(status),
    });
  if (status === 401 || status === 403) return new TokenRefusedError(said, retryAfterS, { isOfRegion: true });
  const message = `the region answers ${status} ${said}`;
  return new NotAnAnswerError(message, retryAfterS, { blamesOrders: blamingStatuses.has(status), isOfRegion: true });
}

/** Code and detail of a gateway's problem document; `undefined` for anything else, as a page of a proxy. */
export function problemOf(body: Buffer): string | undefined {
  try {
    const { code, detail } = JSON.parse(body.toString()) as { code?: unknown; detail?: unknown };
    return typeof code === 'string' ? `${code}: ${String(detail)}` : undefined;
  } catch {
    // Not JSON, so no problem document.
    return undefined;
  }
}

function secondsOf(retryAfter: string | undefined): number {
  return retryAfter !== undefined && /^\d+$/.test(retryAfter) ? Number(retryAfter) : 0;
}
