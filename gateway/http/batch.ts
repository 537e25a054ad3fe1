import { type Problem, problem } from '../../contracts/errors.ts';
import { limits } from '../../contracts/limits.ts';
import type { Identity } from '../identity/identity.ts';
import type { Reception, Submitter } from '../orders/reception.ts';
import type { Exchange } from './exchange.ts';

/** What became of one line. `index` counts the orders of the batch from 0; blank lines are none. */
interface LineResult {
  index: number;
  orderId?: string;
  status: number;
  problem?: Problem;
}

const NEWLINE = 0x0a;

/** A newline-delimited batch: each line stands for itself, and the answer tells of each. */
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

  /** Submits every line; answers 207 when all of them are settled. */
  submit(reception: Reception, identity: Identity, traceparent: string, exchange: Exchange): void {
    const results: LineResult[] = [];
    let left = this.#lines.length;
    /** Bytes that the orders of the batch don't count: lines are views, so the whole body stays until the last of them is answered. */
    let kept = 0;
    const { admission } = reception;
    const settle = (result: LineResult) => {
      results[result.index] = result;
      left -= 1;
      if (left > 0) return;
      admission.unhold(kept);
      exchange.json(207, { results });
    };
    const before = admission.bytes;
    for (const [index, line] of this.#lines.entries())
      reception.submit(line, identity, traceparent, lineSubmitter(index, settle), exchange.requestId);
    if (left === 0) return;
    kept = this.#bytes - (admission.bytes - before);
    admission.keep(kept);
  }
}

function lineSubmitter(index: number, settle: (result: LineResult) => void): Submitter {
  return {
    accepted: (orderId) => settle({ index, orderId, status: 202 }),
    refused: (refusal, orderId) =>
      settle({ index, ...(orderId === undefined ? {} : { orderId }), status: refusal.status, problem: refusal }),
  };
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
