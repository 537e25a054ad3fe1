// Submits the orders of a batch one by one, and gathers their results. Created by order-routes.ts.

import { type Problem, problem } from '../../contracts/errors.ts';
import { limits } from '../../contracts/limits.ts';
import type { Identity } from '../identity/identity.ts';
import type { Reception, Submission } from '../orders/reception.ts';
import type { Exchange } from './exchange.ts';

/** What became of one line. `index` counts the orders of the batch from 0; blank lines do not count. */
interface LineResult {
  index: number;
  orderId?: string;
  status: number;
  problem?: Problem;
}

const NEWLINE = 0x0a;

/** The body of `POST /v1/orders/batch`: one order per line. Each line is accepted or refused alone, and the answer has a result for each. */
export class Batch {
  /** Why the batch as a whole is refused. */
  readonly refusal: Problem | undefined;
  readonly #lines: Buffer[];
  readonly #bytes: number;

  constructor(body: Buffer) {
    this.#bytes = body.length;
    this.#lines = linesOf(body);
    const count = this.#lines.length;
    if (count === 0) this.refusal = problem('malformed-body', 'the batch has no lines');
    else if (count > limits.batchOrdersMax)
      this.refusal = problem('body-too-large', `the batch has more than ${limits.batchOrdersMax} orders`);
  }

  /** Submits every line; answers 207 when each of them is accepted or refused. */
  submit(reception: Reception, exchange: Exchange): void {
    const results: LineResult[] = [];
    let left = this.#lines.length;
    /** Bytes of the body that the admission counts for no order. Lines are views, so the whole body stays in memory until the last line is answered. */
    let kept = 0;
    const { admission } = reception;
    const settle = (result: LineResult) => {
      results[result.index] = result;
      left--;
      if (left > 0) return;
      admission.unhold(kept);
      exchange.json(207, { results });
    };
    const before = admission.bytes;
    for (const [index, line] of this.#lines.entries())
      reception.submit(new LineSubmission(line, index, exchange, settle));
    if (left === 0) return;
    kept = this.#bytes - (admission.bytes - before);
    admission.keep(kept);
  }
}

/** The order on one line of a batch. */
class LineSubmission implements Submission {
  bytes: Buffer | undefined;
  readonly size: number;
  readonly identity: Identity;
  readonly traceparent: string;
  readonly requestId: string;
  readonly #index: number;
  readonly #settle: (result: LineResult) => void;

  constructor(line: Buffer, index: number, exchange: Exchange, settle: (result: LineResult) => void) {
    this.bytes = line;
    this.size = line.length;
    this.identity = exchange.identity;
    this.traceparent = exchange.traceparent;
    this.requestId = exchange.requestId;
    this.#index = index;
    this.#settle = settle;
  }

  accepted(orderId: string): void {
    this.#settle({ index: this.#index, orderId, status: 202 });
  }

  refused(refusal: Problem, orderId?: string): void {
    const result: LineResult = { index: this.#index, status: refusal.status, problem: refusal };
    this.#settle(orderId === undefined ? result : { ...result, orderId });
  }
}

/** Non-blank lines, as views. One more than the limit is enough to know that there are too many. */
function linesOf(body: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  for (let start = 0; start < body.length && lines.length <= limits.batchOrdersMax; ) {
    const newline = body.indexOf(NEWLINE, start);
    const end = newline === -1 ? body.length : newline;
    const line = body.subarray(start, end);
    if (!isBlank(line)) lines.push(line);
    start = end + 1;
  }
  return lines;
}

function isBlank(line: Buffer): boolean {
  return line.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d);
}
