// The simulated provider's ledger of charges, with group commit.

import { describeError, faultOf } from '../../runtime/outage.ts';
import { type BoundedPool, bookCharges, type LedgerCharge } from '../../store/index.ts';
import { providerOutage } from './provider.ts';

interface Waiting {
  charge: LedgerCharge;
  resolve(booked: LedgerCharge): void;
  reject(error: Error): void;
}

/** A batch that conflicts with another transaction is repeated at once this many times. */
const CONFLICTS_MAX = 5;

/**
 * Books charges with group commit: while one statement is in flight the next charges gather, and are booked together. The simulated
 * provider uses it.
 */
export class ChargeLedger {
  readonly #pool: BoundedPool;
  #waiting: Waiting[] = [];
  #booking = false;

  constructor(pool: BoundedPool) {
    this.#pool = pool;
  }

  /**
   * Resolves with the charge as it was first booked. Rejects with `OutageError` when the ledger can't be reached or does not answer in
   * time, and with the database's error when this charge can't be booked.
   */
  book(charge: LedgerCharge): Promise<LedgerCharge> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ charge, resolve, reject });
      if (!this.#booking) void this.#bookAll();
    });
  }

  async #bookAll(): Promise<void> {
    this.#booking = true;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      await this.#book(batch);
    }
    this.#booking = false;
  }

  /**
   * Halves a batch that can't be booked, until the charges at fault are alone. An outage fails all charges, a bad charge only itself. Never
   * rejects.
   */
  async #book(all: readonly Waiting[]): Promise<void> {
    const batches = [all];
    let conflicts = 0;
    for (let batch = batches.pop(); batch !== undefined; batch = batches.pop()) {
      try {
        await this.#bookTogether(batch);
      } catch (error) {
        const fault = faultOf(error);
        if (fault === 'conflict' && conflicts++ < CONFLICTS_MAX) batches.push(batch);
        else if (fault !== 'message') {
          const outage = providerOutage(`can not reach its ledger: ${describeError(error)}`, error);
          for (const { reject } of [batch, ...batches].flat()) reject(outage);
          return;
        } else if (batch.length === 1) batch[0]?.reject(error as Error);
        else batches.push(batch.slice(batch.length >> 1), batch.slice(0, batch.length >> 1));
      }
    }
  }

  async #bookTogether(batch: readonly Waiting[]): Promise<void> {
    const charges = merge(batch);
    const bookedBefore = await this.#pool.call((database) => bookCharges(database, [...charges.values()]));
    for (const { charge, resolve } of batch) {
      const { idempotencyKey } = charge;
      resolve(bookedBefore.get(idempotencyKey) ?? charges.get(idempotencyKey) ?? charge);
    }
  }
}

/** The first charge of each key, with the number of times that it was asked for. */
function merge(batch: readonly Waiting[]): Map<string, LedgerCharge & { attempts: number }> {
  const byKey = new Map<string, LedgerCharge & { attempts: number }>();
  for (const { charge } of batch) {
    const known = byKey.get(charge.idempotencyKey);
    if (known === undefined) byKey.set(charge.idempotencyKey, { ...charge, attempts: 1 });
    else known.attempts++;
  }
  return byKey;
}
