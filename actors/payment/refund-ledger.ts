// The simulated provider's ledger of refunds, and its list of movements.

import { describeError, faultOf } from '../../runtime/outage.ts';
import { type BoundedPool, bookRefund, type LedgerRefund, ledgerMovements } from '../../store/index.ts';
import { checkSame, type Movement, PaymentRequestError, type Period, providerOutage } from './provider.ts';

const PAGE = 1_000;

/** Refunds are few, so each has a transaction of its own. */
export class RefundLedger {
  readonly #pool: BoundedPool;

  constructor(pool: BoundedPool) {
    this.#pool = pool;
  }

  /**
   * Resolves with the refund as it was first booked.
   * @throws OutageError when the ledger can't be reached, PaymentRequestError when the charge does not give as much back
   */
  async book(refund: LedgerRefund, chargeKey: string): Promise<{ reference: string }> {
    const booking = await this.#asked(() => this.#pool.call((database) => bookRefund(database, refund, chargeKey)));
    switch (booking.status) {
      case 'booked':
        checkSame(refund, booking, 'refund');
        return { reference: booking.reference };
      case 'unknown-charge':
        throw new PaymentRequestError(`chargeReference ${refund.chargeReference} names no charge of this provider`);
      case 'too-much':
        throw new PaymentRequestError(
          `amount is ${refund.amount} ${refund.currency}; of charge ${refund.chargeReference}, ${booking.left} ${booking.currency} are left to refund`,
        );
    }
  }

  async *movements(period: Period): AsyncGenerator<Movement> {
    let after = { kind: '', idempotencyKey: '' };
    for (;;) {
      const page = await this.#asked(() =>
        this.#pool.call((database) => ledgerMovements(database, period, after, PAGE)),
      );
      yield* page;
      const last = page.at(-1);
      if (last === undefined || page.length < PAGE) return;
      after = last;
    }
  }

  async #asked<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (faultOf(error) === 'message') throw error;
      throw providerOutage(`can not reach its ledger: ${describeError(error)}`, error);
    }
  }
}
