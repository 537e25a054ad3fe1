import { OutageError } from '../../runtime/actor.ts';
import type { Database } from '../../store/database.ts';
import { bookCharges, type LedgerCharge } from '../../store/provider-ledger.ts';

interface Waiting {
  charge: LedgerCharge;
  resolve(booked: LedgerCharge): void;
  reject(error: Error): void;
}

/** Books with group commit: while one statement is under way the next charges gather, and are booked together. */
export class ChargeLedger {
  readonly #database: Database;
  #waiting: Waiting[] = [];
  #booking = false;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Resolves with the charge as it was first booked; rejects with `OutageError` when the ledger can't be reached. */
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
      try {
        const booked = await bookCharges(this.#database, merge(batch));
        for (const { charge, resolve, reject } of batch) {
          const found = booked.get(charge.idempotencyKey);
          if (found === undefined) reject(new Error(`${charge.idempotencyKey} was not booked`));
          else resolve(found);
        }
      } catch (error) {
        const outage = new OutageError('the ledger of the payment provider is down', { cause: error });
        for (const { reject } of batch) reject(outage);
      }
    }
    this.#booking = false;
  }
}

/** Each key once, with the number of times it was asked for. */
function merge(batch: readonly Waiting[]): (LedgerCharge & { attempts: number })[] {
  const byKey = new Map<string, LedgerCharge & { attempts: number }>();
  for (const { charge } of batch) {
    const known = byKey.get(charge.idempotencyKey);
    if (known === undefined) byKey.set(charge.idempotencyKey, { ...charge, attempts: 1 });
    else known.attempts += 1;
  }
  return [...byKey.values()];
}
