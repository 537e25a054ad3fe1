// The interface between the payment role and a payment provider.

import type { DeclineCode } from './decline-codes.ts';

export interface ChargeRequest {
  /** The same key always means the same charge. */
  idempotencyKey: string;
  /** Minor units. */
  amount: number;
  currency: string;
  token: string;
}

export type ChargeResult =
  | { status: 'approved'; reference: string }
  | { status: 'declined'; code: DeclineCode; detail: string };

/**
 * A payment provider.
 *
 * The payment role relies on this: money moves at most once per idempotency key, and the same key with the same request gets the same
 * answer. `charge` rejects with `OutageError` when it has no answer (provider down, time limit passed). The charge may have been made then,
 * so the caller asks again with the same key. Any other rejection concerns this request alone.
 */
export interface PaymentProvider {
  charge(request: ChargeRequest): Promise<ChargeResult>;
  close(): Promise<void>;
}
