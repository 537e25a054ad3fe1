import { type Database, inTransaction } from './database.ts';

/** A charge in the ledger of the simulated payment provider. */
export interface LedgerCharge {
  idempotencyKey: string;
  /** Minor units. */
  amount: number;
  currency: string;
  status: 'approved' | 'declined';
  reference: string | null;
  code: string | null;
}

/**
 * Books charges, each at most once: a key that is booked already keeps its first charge and only its attempts go up. Every key may be named
 * once.
 * @returns the charges as booked, by idempotency key
 */
export async function bookCharges(
  database: Database,
  charges: readonly (LedgerCharge & { attempts: number })[],
): Promise<Map<string, LedgerCharge>> {
  // In one order everywhere, so that two batches never deadlock.
  const sorted = charges.toSorted((a, b) => (a.idempotencyKey < b.idempotencyKey ? -1 : 1));
  const rows = await database<LedgerCharge[]>`
    insert into simulated_provider.charges as booked (idempotency_key, amount, currency, status, reference, code, attempts)
    select * from unnest(
      ${sorted.map((charge) => charge.idempotencyKey)}::text[],
      ${sorted.map((charge) => charge.amount)}::integer[],
      ${sorted.map((charge) => charge.currency)}::text[],
      ${sorted.map((charge) => charge.status)}::text[],
      ${sorted.map((charge) => charge.reference)}::text[],
      ${sorted.map((charge) => charge.code)}::text[],
      ${sorted.map((charge) => charge.attempts)}::integer[]
    )
    on conflict (idempotency_key) do update set attempts = booked.attempts + excluded.attempts
    returning idempotency_key as "idempotencyKey", amount, currency, status, reference, code`;
  return new Map(rows.map((row) => [row.idempotencyKey, row]));
}

/**
 * Makes one ledger the copy of another: for an audit of a region, whose provider stands outside of it. Charges that only the copy had are gone.
 */
export async function copyLedger(from: Database, to: Database): Promise<void> {
  const rows = await from<{ row: string }[]>`select to_json(c)::text as row from simulated_provider.charges c`;
  await inTransaction(to, async (sql) => {
    await sql`delete from simulated_provider.charges`;
    await sql`
      insert into simulated_provider.charges
      select (json_populate_record(null::simulated_provider.charges, row::json)).* from unnest(${rows.map(({ row }) => row)}::text[]) as t(row)`;
  });
}
