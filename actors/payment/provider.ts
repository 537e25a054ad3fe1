import type { DeclineCode } from './decline-codes.ts';

export interface ChargeRequest {
  /** The same key is the same charge, however often it is asked for. */
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
 * Guarantees that the payment role rests on: money moves at most once per idempotency key, and the same key with the same request
 * gets the same answer. `charge` rejects with `OutageError` when it has no answer (provider down, time limit passed); the charge may have been
 * made then, so the caller asks again with the same key. Any other rejection speaks of this request alone.
 */
export interface PaymentProvider {
  charge(request: ChargeRequest): Promise<ChargeResult>;
  close(): Promise<void>;
}
