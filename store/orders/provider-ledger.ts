import { column } from '../database/column.ts';
import type { Database } from '../database/database.ts';

/** A charge in the ledger of the simulated payment provider. */
export interface LedgerCharge {
  idempotencyKey: string;
  orderId: string;
  /** Minor units. */
  amount: number;
  currency: string;
  status: 'approved' | 'declined';
  reference: string | null;
  code: string | null;
}

/**
 * Books charges, each at most once. A key that is booked already keeps its first charge; only its attempts go up. No key may occur twice.
 * @returns the charges of keys that were booked before, as they were booked then, by idempotency key
 */
export async function bookCharges(
  database: Database,
  charges: readonly (LedgerCharge & { attempts: number })[],
): Promise<Map<string, LedgerCharge>> {
  // In one order everywhere, so that two batches never deadlock.
  const sorted = charges.toSorted((a, b) => (a.idempotencyKey < b.idempotencyKey ? -1 : 1));
  const rows = await database<LedgerCharge[]>`
    with booked as (
      insert into simulated_provider.charges as known (idempotency_key, order_id, amount, currency, status, reference, code, attempts)
      select * from unnest(
        ${column(sorted, (charge) => charge.idempotencyKey)}::text[],
        ${column(sorted, (charge) => charge.orderId)}::text[],
        ${column(sorted, (charge) => charge.amount)}::integer[],
        ${column(sorted, (charge) => charge.currency)}::text[],
        ${column(sorted, (charge) => charge.status)}::text[],
        ${column(sorted, (charge) => charge.reference)}::text[],
        ${column(sorted, (charge) => charge.code)}::text[],
        ${column(sorted, (charge) => charge.attempts)}::integer[]
      )
      on conflict (idempotency_key) do update set attempts = known.attempts + excluded.attempts
      returning known.*, xmax = 0 as is_new
    )
    select idempotency_key as "idempotencyKey", coalesce(order_id, idempotency_key) as "orderId", amount, currency, status, reference, code from booked where not is_new`;
  return new Map(rows.map((row) => [row.idempotencyKey, row]));
}
