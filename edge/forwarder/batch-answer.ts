import type { Settlement, SpooledBatch } from '../spool/order.ts';
import type { UpstreamAnswer } from './upstream.ts';

/** What the region said of a batch. */
export interface BatchAnswer {
  region: string;
  settlements: Settlement[];
  /** Orders that it did not decide on: they are sent again. */
  deferred: number;
  /** Seconds after which it wants them again; 0 where it did not say. */
  retryAfterS: number;
}

/** An answer that is not the gateway's word on this batch: an outage, a fenced region, a wrong URL, or a captive portal that answers for all. */
export class NotAnAnswerError extends Error {
  override name = 'NotAnAnswerError';
  readonly retryAfterS: number;
  /** Whether it may be due to what the batch says, as with a firewall that reads along. */
  readonly blamesOrders: boolean;

  constructor(message: string, retryAfterS = 0, blamesOrders = false) {
    super(message);
    this.retryAfterS = retryAfterS;
    this.blamesOrders = blamesOrders;
  }
}

/** Whole answers that something in the batch may have called forth; others say that nobody is served now, or not with this token or URL. */
const blamingStatuses = new Set([400, 403, 406, 408, 413, 414, 415, 422, 431, 451, 500, 502]);

/** What the same bytes would be answered with again. Everything else is sent again. */
const finalRefusals = new Set([400, 403, 409, 413, 422]);

interface Result {
  index: number;
  status: number;
  orderId?: string;
  problem?: { code?: string; detail?: string; errors?: { pointer?: string; detail?: string }[]; retryAfterS?: number };
}

/**
 * Reads the answer to a batch. An order counts as settled only where the answer names it by index and orderId.
 * @throws NotAnAnswerError
 */
export function readBatchAnswer(answer: UpstreamAnswer, batch: SpooledBatch): BatchAnswer {
  const { status, headers, body } = answer;
  const region = headers['x-ordermesh-region'];
  const retryAfterS = secondsOf(headers['retry-after']);
  if (status !== 207 || typeof region !== 'string' || region === '')
    throw new NotAnAnswerError(describe(status, body), retryAfterS, blamingStatuses.has(status));
  const settlements: Settlement[] = [];
  const seen = new Set<number>();
  let retryLinesAfterS = retryAfterS;
  for (const result of resultsOf(body)) {
    const { index, status, orderId, problem } = result;
    const sequence = batch.sequences[index];
    if (sequence === undefined || seen.has(index) || (orderId !== undefined && orderId !== batch.orderIds[index]))
      throw new NotAnAnswerError('the answer is about other orders than were sent');
    if (status === 202 && orderId !== undefined) settlements.push({ sequence, region });
    else if (finalRefusals.has(status)) settlements.push({ sequence, region, problem: problemText(status, problem) });
    else {
      retryLinesAfterS = Math.max(retryLinesAfterS, problem?.retryAfterS ?? 0);
      continue;
    }
    seen.add(index);
  }
  return { region, settlements, deferred: batch.sequences.length - seen.size, retryAfterS: retryLinesAfterS };
}

function resultsOf(body: Buffer): Result[] {
  try {
    const { results } = JSON.parse(body.toString()) as { results: unknown };
    if (Array.isArray(results) && results.every((result) => typeof result === 'object' && result !== null))
      return results as Result[];
  } catch {
    // Said below.
  }
  throw new NotAnAnswerError('the answer is none of a gateway');
}

function problemText(status: number, problem: Result['problem']): string {
  const fields = problem?.errors?.map(({ pointer, detail }) => `${pointer ?? ''} ${detail ?? ''}`.trim()) ?? [];
  return [`${problem?.code ?? status}: ${problem?.detail ?? 'no detail'}`, ...fields].join('; ').slice(0, 1_000);
}

function describe(status: number, body: Buffer): string {
  try {
    const { code, detail } = JSON.parse(body.toString()) as { code?: unknown; detail?: unknown };
    if (typeof code === 'string') return `the region answers ${status} ${code}: ${String(detail)}`;
  } catch {
    // Not a problem document; the status has to do.
  }
  return `${status} is not the answer of a gateway to a batch`;
}

function secondsOf(retryAfter: string | undefined): number {
  return retryAfter !== undefined && /^\d+$/.test(retryAfter) ? Number(retryAfter) : 0;
}
