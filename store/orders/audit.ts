// Reads what the database has of every order, and finds contradictions. Called by the audit and by chaos.

import { formatMoney } from '../../contracts/order/money.ts';
import { type Database, inTransaction, type Transaction } from '../database/database.ts';
import { type DeadLetterFate, deadLetterFates } from '../dead-letters/dead-letter-fates.ts';

/** What the database has of one order. */
export interface OrderEffects {
  orderId: string;
  storeId: string;
  decision: 'validated' | 'rejected';
  payment: 'paid' | 'failed' | null;
  /** Successful charges at the payment provider. */
  charges: number;
  ticket: boolean;
}

/** A contradiction within the database. */
export interface DatabaseFault {
  kind: 'duplicateEffects' | 'outOfOrder';
  /** The orderId, or the store or SKU whose stock does not add up. */
  subject: string;
  detail: string;
}

export interface DatabaseAudit {
  validated: number;
  rejected: number;
  paid: number;
  paymentFailed: number;
  tickets: number;
  /** Orders that arrived again with other content; the first content counts. */
  conflicts: number;
  /** Kitchen events that the state of their ticket did not allow. */
  ignoredKitchenEvents: number;
  faults: DatabaseFault[];
  deadLetters: DeadLetterFate[];
}

export interface DatabaseAuditOptions {
  /** Only orders decided at or after this time are handed over, in milliseconds since 1970. Faults are of all times. */
  sinceMs?: number;
  /** When the topics began to be read, by the database's clock. What became of dead letters later is ignored. Now if absent. */
  deadLettersAt?: Date;
  /** The database with the payment provider's ledger, if it is another one; it has the same schema. */
  ledger?: Database;
  /** The provider keeps its books elsewhere, so charges are not compared with payments. */
  chargesElsewhere?: boolean;
  /** Gets the orders in batches, so that an audit doesn't need memory for all of them. */
  onEffects?: (effects: OrderEffects[]) => void;
}

type EffectCounts = Omit<DatabaseAudit, 'faults' | 'deadLetters'>;

const BATCH_ROWS = 5_000;

/**
 * Reads the effects of every order and checks the books, in one snapshot of the database. A ledger in another database is read after this
 * snapshot. So it has the charge of every payment in the snapshot, and perhaps charges of orders that were decided later.
 */
export async function auditDatabase(
  database: Database,
  { sinceMs = 0, onEffects, deadLettersAt = new Date(), ledger, chargesElsewhere = false }: DatabaseAuditOptions = {},
): Promise<DatabaseAudit> {
  const snapshot = 'isolation level repeatable read read only';
  const judged = async (sql: Transaction) => {
    const counts = await countEffects(sql);
    const approved = ledger === undefined ? undefined : await approvedIn(ledger);
    if (onEffects !== undefined) {
      for await (const rows of effectsOf(sql, sinceMs).cursor(BATCH_ROWS)) {
        if (approved !== undefined) for (const row of rows) row.charges = approved.has(row.orderId) ? 1 : 0;
        onEffects(rows);
      }
    }
    return {
      ...counts,
      deadLetters: await deadLetterFates(sql, deadLettersAt),
      faults: [
        ...(await stockFaults(sql)),
        ...(chargesElsewhere ? [] : await chargeFaults(sql, approved)),
        ...(await orderFaults(sql)),
      ],
    };
  };
  const audit = await inTransaction(database, judged, snapshot);
  return ledger === undefined ? audit : { ...audit, faults: await withoutLaterOrders(database, audit.faults) };
}

/** Leaves out the charges of orders that were decided after the snapshot and before the ledger was read. */
async function withoutLaterOrders(database: Database, faults: readonly DatabaseFault[]): Promise<DatabaseFault[]> {
  const charged = faults.filter(({ detail }) => detail === CHARGED_WITHOUT_ORDER).map(({ subject }) => subject);
  if (charged.length === 0) return [...faults];
  const rows = await database<{ orderId: string }[]>`
    select order_id::text as "orderId" from orders where decision = 'validated' and order_id::text = any(${charged})`;
  const later = new Set(rows.map(({ orderId }) => orderId));
  return faults.filter(({ detail, subject }) => detail !== CHARGED_WITHOUT_ORDER || !later.has(subject));
}

async function countEffects(sql: Transaction): Promise<EffectCounts> {
  const [counts] = await sql<EffectCounts[]>`
    select
      (select count(*) from orders where decision = 'validated')::float8 as validated,
      (select count(*) from orders where decision = 'rejected')::float8 as rejected,
      (select count(*) from payments where status = 'paid')::float8 as paid,
      (select count(*) from payments where status = 'failed')::float8 as "paymentFailed",
      (select count(*) from tickets)::float8 as tickets,
      (select count(*) from order_conflicts)::float8 as conflicts,
      (select count(*) from ignored_kitchen_events)::float8 as "ignoredKitchenEvents"`;
  if (counts === undefined) throw new Error('a query of counts returned no row');
  return counts;
}

function effectsOf(sql: Transaction, sinceMs: number) {
  return sql<OrderEffects[]>`
    select o.order_id as "orderId", o.store_id as "storeId", o.decision, p.status as payment,
      (case c.status when 'approved' then 1 else 0 end) as charges, t.order_id is not null as ticket
    from orders o
    left join payments p using (order_id)
    left join tickets t using (order_id)
    left join simulated_provider.charges c on c.idempotency_key = o.order_id::text
    where o.decided_at >= to_timestamp(${sinceMs}::float8 / 1000)`;
}

/** For every store: the stock loaded and corrected, minus the stock left, must be what its validated orders took. No stock is below zero. */
async function stockFaults(sql: Transaction): Promise<DatabaseFault[]> {
  const rows = await sql<{ storeId: string; taken: string; reserved: string }[]>`
    select store_id as "storeId", coalesce(taken, 0) as taken, coalesce(reserved, 0) as reserved from
      (select store_id, sum(loaded + corrected - on_hand) as taken from inventory group by store_id) as shelves
    full join
      (select store_id, sum(pieces) as reserved from orders where decision = 'validated' group by store_id) as books
    using (store_id)
    where coalesce(taken, 0) <> coalesce(reserved, 0)`;
  const below = await sql<{ storeId: string; sku: string; onHand: number }[]>`
    select store_id as "storeId", sku, on_hand as "onHand" from inventory where on_hand < 0 or on_hand is null`;
  return [
    ...rows.map(({ storeId, taken, reserved }) => ({
      kind: 'duplicateEffects' as const,
      subject: storeId,
      detail: `${taken} pieces left the shelves, its orders reserved ${reserved}`,
    })),
    ...below.map(({ storeId, sku, onHand }) => ({
      kind: 'duplicateEffects' as const,
      subject: `${storeId}/${sku}`,
      detail: `has ${onHand} pieces on hand`,
    })),
  ];
}

interface ApprovedCharge {
  key: string;
  amount: number;
  currency: string;
}

async function approvedIn(ledger: Database): Promise<Map<string, ApprovedCharge>> {
  const rows = await ledger<ApprovedCharge[]>`
    select idempotency_key as key, amount, currency from simulated_provider.charges where status = 'approved'`;
  return new Map(rows.map((row) => [row.key, row]));
}

const CHARGED_WITHOUT_ORDER = 'was charged and is not a validated order';

/** Every payment by card or app must be one approved charge of the order's amount. A failed or missing payment must have no charge. */
async function chargeFaults(
  sql: Transaction,
  approved: ReadonlyMap<string, ApprovedCharge> | undefined,
): Promise<DatabaseFault[]> {
  const charges = [...(approved?.values() ?? [])];
  const ledger =
    approved === undefined
      ? sql`select * from simulated_provider.charges where status = 'approved'`
      : sql`
          select * from unnest(
            ${charges.map(({ key }) => key)}::text[], ${charges.map(({ amount }) => amount)}::integer[],
            ${charges.map(({ currency }) => currency)}::text[]
          ) as approved (idempotency_key, amount, currency)`;
  const rows = await sql<WrongCharge[]>`
    select coalesce(p.order_id::text, idempotency_key) as "orderId", case
        when idempotency_key is null then 'is paid without a charge at the provider'
        when p.status = 'failed' then 'was charged although its payment failed'
        when o.order_id is null or o.decision <> 'validated' then ${CHARGED_WITHOUT_ORDER}
      end as detail, c.amount, c.currency, o.total, o.currency as "totalCurrency"
    from (${ledger}) c
    full join (select * from payments where method <> 'cash') p on c.idempotency_key = p.order_id::text
    left join orders o on o.order_id::text = coalesce(p.order_id::text, c.idempotency_key)
    where (p.status = 'paid' and idempotency_key is null)
      or (p.status = 'failed' and idempotency_key is not null)
      or (idempotency_key is not null and (
        o.order_id is null or o.decision <> 'validated' or c.amount <> o.total or c.currency <> o.currency))`;
  return rows.map(({ orderId, detail, amount, currency, total, totalCurrency }) => ({
    kind: 'duplicateEffects',
    subject: orderId,
    detail:
      detail ??
      `was charged ${formatMoney(Number(amount), currency)}, its total is ${formatMoney(Number(total), totalCurrency)}`,
  }));
}

interface WrongCharge {
  orderId: string;
  /** `null`: the amounts differ, in minor units of their currencies. */
  detail: string | null;
  amount: string;
  currency: string;
  total: string;
  totalCurrency: string;
}

/** No order is paid before it is validated, and none is in the kitchen before it is paid. */
async function orderFaults(sql: Transaction): Promise<DatabaseFault[]> {
  const rows = await sql<{ orderId: string; detail: string }[]>`
    select order_id as "orderId", 'has a payment and is not a validated order' as detail
    from payments left join orders using (order_id) where decision is distinct from 'validated'
    union all
    select order_id, 'has a ticket and is not paid'
    from tickets left join payments using (order_id) where status is distinct from 'paid'`;
  return rows.map(({ orderId, detail }) => ({ kind: 'outOfOrder', subject: orderId, detail }));
}
