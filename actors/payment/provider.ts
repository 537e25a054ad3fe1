// The interface between Ordermesh and a payment provider. The payment role charges and refunds through it; `ordermesh payments` reads movements.

import { OutageError } from '../../runtime/actor.ts';
import type { DeclineCode } from './decline-codes.ts';

export interface ChargeRequest {
  /** The same key always means the same charge. At most 200 letters, digits, `-`, `_`, `.`, `/` or `:`. */
  idempotencyKey: string;
  orderId: string;
  storeId: string;
  /** Minor units of ISO 4217. */
  amount: number;
  /** ISO 4217, upper case. */
  currency: string;
  token: string;
  /**
   * No attempt with this key was made before this time. While it is recent, the provider's own idempotency protects the key. Without it the
   * provider is asked for an earlier charge first.
   */
  since?: Date;
}

export type ChargeResult =
  | { status: 'approved'; reference: string }
  | { status: 'declined'; code: DeclineCode; detail: string };

export interface RefundRequest {
  /** The same key always means the same refund. The same letters as those of a charge. */
  idempotencyKey: string;
  /** What `charge` answered. */
  chargeReference: string;
  /** Minor units of the charge's currency; a part of the charge or all of it. */
  amount: number;
  currency: string;
  orderId: string;
}

/** Money that moved at the provider, whoever caused it. */
export interface Movement {
  kind: 'charge' | 'refund' | 'dispute';
  /** The provider's own name of the movement. */
  reference: string;
  /** Undefined for a movement that Ordermesh did not cause, such as a refund in the provider's dashboard. */
  idempotencyKey?: string;
  /** Undefined where the provider knows no order of the movement. */
  orderId: string | undefined;
  /** Minor units of ISO 4217, always positive. */
  amount: number;
  currency: string;
  at: Date;
}

/** From `since` to before `until`. */
export interface Period {
  since: Date;
  until: Date;
}

/**
 * A payment provider. What the callers rely on:
 * - Money moves at most once per idempotency key, and the same key with the same request gets the same answer. The same key with another
 *   amount or currency is an error.
 * - `charge`, `refund` and `movements` reject with `OutageError` when there is no answer: no connection, the time limit passed, 5xx, 429,
 *   "try later", or credentials that the provider refuses. Money may have moved, so the caller asks again with the same key, and
 *   the provider finds out what has happened before it moves money.
 * - Every other rejection concerns this request alone, and the same request will fail again: an unknown token, an amount that is too small, a
 *   refund of more than was charged.
 * - Every call ends within the time limit that the configuration gives it.
 */
export interface PaymentProvider {
  charge(request: ChargeRequest): Promise<ChargeResult>;
  refund(request: RefundRequest): Promise<{ reference: string }>;
  /** Movements of the period that lasted: no declined charges, no failed refunds. In no particular order. */
  movements(period: Period): AsyncIterable<Movement>;
  close(): Promise<void>;
}

/** The provider has no answer. Log and readiness show the text. */
export function providerOutage(what: string, cause?: unknown): OutageError {
  return new OutageError(`the payment provider ${what}; card payments wait`, cause === undefined ? {} : { cause });
}

/** The request will never succeed, so no retry helps. */
export class PaymentRequestError extends Error {
  override name = 'PaymentRequestError';
}

/** @throws PaymentRequestError for a key that a provider might not take */
export function checkKey(idempotencyKey: string): void {
  if (!/^[\w./:-]{1,200}$/.test(idempotencyKey))
    throw new PaymentRequestError(
      `idempotencyKey ${JSON.stringify(idempotencyKey.slice(0, 80))} is not 1 to 200 letters, digits, -, _, ., / or :`,
    );
}

/** @throws PaymentRequestError when a known movement of the key has another amount or currency */
export function checkSame(
  request: { idempotencyKey: string; amount: number; currency: string },
  known: { amount: number; currency: string },
  what: 'charge' | 'refund',
): void {
  if (known.amount !== request.amount || known.currency !== request.currency)
    throw new PaymentRequestError(
      `idempotency key ${request.idempotencyKey} was used for another ${what}: ${known.amount} ${known.currency}, not ${request.amount} ${request.currency}`,
    );
}
