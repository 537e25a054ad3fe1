// Refunds and movements in the ledger of the simulated payment provider. Used by actors/payment/.

import { type Database, inTransaction } from '../database/database.ts';

export interface LedgerRefund {
  idempotencyKey: string;
  chargeReference: string;
  orderId: string;
  /** Minor units. */
  amount: number;
  currency: string;
  reference: string;
}

/** What became of a refund: booked now or before, or why it can't be. */
export type RefundBooking =
  | { status: 'booked'; amount: number; currency: string; reference: string }
  | { status: 'unknown-charge' }
  | { status: 'too-much'; left: number; currency: string };

/**
 * Books a refund once for its key, as long as no more is refunded than was charged. Refunds of one charge wait for each other.
 * @param chargeKey the idempotency key that the reference names. In ledgers of earlier versions it names none, and the key is the order's.
 */
export async function bookRefund(database: Database, refund: LedgerRefund, chargeKey: string): Promise<RefundBooking> {
  const { idempotencyKey, chargeReference, orderId, amount, currency, reference } = refund;
  return await inTransaction(database, async (sql): Promise<RefundBooking> => {
    const [charge] = await sql<{ key: string; amount: number; currency: string }[]>`
      select idempotency_key as key, amount, currency from simulated_provider.charges
      where idempotency_key in (${chargeKey}, ${orderId}) and reference = ${chargeReference} for update`;
    if (charge === undefined) return { status: 'unknown-charge' };
    const [known] = await sql<{ amount: number; currency: string; reference: string }[]>`
      select amount, currency, reference from simulated_provider.refunds where idempotency_key = ${idempotencyKey}`;
    if (known !== undefined) return { status: 'booked', ...known };
    const [sum] = await sql<{ refunded: number }[]>`
      select coalesce(sum(amount), 0)::integer as refunded from simulated_provider.refunds where charge_key = ${charge.key}`;
    const left = charge.amount - (sum?.refunded ?? 0);
    if (amount > left || currency !== charge.currency) return { status: 'too-much', left, currency: charge.currency };
    await sql`
      insert into simulated_provider.refunds (idempotency_key, charge_key, order_id, amount, currency, reference)
      values (${idempotencyKey}, ${charge.key}, ${orderId}, ${amount}, ${currency}, ${reference})`;
    return { status: 'booked', amount, currency, reference };
  });
}

export interface LedgerMovement {
  kind: 'charge' | 'refund';
  reference: string;
  idempotencyKey: string;
  orderId: string;
  /** Minor units. */
  amount: number;
  currency: string;
  at: Date;
}

/** The approved charges and the refunds from `since` to before `until`, one page, in order of `(kind, key)`. */
export async function ledgerMovements(
  database: Database,
  { since, until }: { since: Date; until: Date },
  after: { kind: string; idempotencyKey: string },
  limit: number,
): Promise<LedgerMovement[]> {
  return await database<LedgerMovement[]>`
    select * from (
      select 'charge' as kind, reference, idempotency_key as "idempotencyKey",
        coalesce(order_id, idempotency_key) as "orderId", amount, currency, created_at as at
      from simulated_provider.charges
      where status = 'approved' and created_at >= ${since} and created_at < ${until}
      union all
      select 'refund', reference, idempotency_key, order_id, amount, currency, created_at
      from simulated_provider.refunds where created_at >= ${since} and created_at < ${until}
    ) movements
    where (kind, "idempotencyKey") > (${after.kind}, ${after.idempotencyKey})
    order by kind, "idempotencyKey" limit ${limit}`;
}
