// Reads what Ordermesh has of the money of orders. Called by `ordermesh payments`.

import { isOrderId } from '../../contracts/order/order.ts';
import type { Database } from '../database/database.ts';
import { type OutcomeColumns, outcomeOf, type PaymentOutcome } from './payments.ts';

/** The payment of an order, as it was decided. */
export interface LedgerPayment {
  orderId: string;
  storeId: string;
  method: string;
  /** Minor units. */
  amount: number;
  currency: string;
  outcome: PaymentOutcome;
  decidedAt: Date;
}

type PaymentRow = Omit<LedgerPayment, 'outcome'> & OutcomeColumns;

const BATCH_ROWS = 5_000;

const columns = (database: Database) => database`
  order_id as "orderId", store_id as "storeId", method, amount, currency, status, reference, code, detail, decided_at as "decidedAt"`;

/** The payments that a provider made from `since` to before `until`, in batches; cash is not among them. */
export async function* chargesOf(
  database: Database,
  { since, until }: { since: Date; until: Date },
): AsyncGenerator<LedgerPayment[]> {
  const rows = database<PaymentRow[]>`
    select ${columns(database)} from payments
    where status = 'paid' and method <> 'cash' and decided_at >= ${since} and decided_at < ${until}`;
  for await (const batch of rows.cursor(BATCH_ROWS)) yield batch.map(paymentOf);
}

/** The payments of some orders, by orderId. A text that is no UUID has none. */
export async function paymentsOf(database: Database, orderIds: readonly string[]): Promise<Map<string, LedgerPayment>> {
  const rows = await database<PaymentRow[]>`
    select ${columns(database)} from payments where order_id = any(${orderIds.filter(isOrderId)}::uuid[])`;
  return new Map(rows.map((row) => [row.orderId, paymentOf(row)]));
}

function paymentOf({ status, reference, code, detail, ...row }: PaymentRow): LedgerPayment {
  return { ...row, outcome: outcomeOf({ status, reference, code, detail }) };
}
