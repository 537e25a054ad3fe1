// What the payment provider told: events, and disputes made of them. Called by the payment role's webhooks and by `ordermesh payments disputes`.

import { type Database, inTransaction } from '../database/database.ts';

export interface DisputeNews {
  reference: string;
  /** Undefined for a charge that is no order's. */
  orderId: string | undefined;
  chargeReference: string | undefined;
  /** Minor units. */
  amount: number;
  currency: string;
  reason: string;
  status: string;
  openedAt: Date;
  /** Until then the provider takes evidence. */
  dueBy: Date | undefined;
  isClosed: boolean;
}

export interface ProviderEvent {
  /** The provider's id: the key that makes the event count once. */
  id: string;
  provider: string;
  type: string;
  occurredAt: Date;
  orderId?: string | undefined;
  /** The provider's name of the refund, charge or dispute. */
  reference?: string;
  /** Minor units. */
  amount?: number;
  currency?: string;
  dispute?: DisputeNews;
}

/**
 * Stores an event and what it says of a dispute, in one transaction.
 * @returns false when the event was there already
 */
export async function recordProviderEvent(database: Database, event: ProviderEvent): Promise<boolean> {
  const { id, provider, type, occurredAt, orderId, reference, amount, currency, dispute } = event;
  return await inTransaction(database, async (sql) => {
    const stored = await sql`
      insert into provider_events (event_id, provider, type, occurred_at, order_id, reference, amount, currency)
      values (${id}, ${provider}, ${type}, ${occurredAt}, ${orderId ?? null}, ${reference ?? null}, ${amount ?? null},
        ${currency ?? null})
      on conflict (event_id) do nothing`;
    if (stored.count === 0) return false;
    if (dispute === undefined) return true;
    // Events may come in another order than they happened: an older one changes nothing, and a closed dispute stays closed.
    await sql`
      insert into disputes as known (reference, provider, order_id, charge_reference, amount, currency, reason, status,
        opened_at, due_by, closed_at, told_at)
      values (${dispute.reference}, ${provider}, ${dispute.orderId ?? null}, ${dispute.chargeReference ?? null},
        ${dispute.amount}, ${dispute.currency}, ${dispute.reason}, ${dispute.status}, ${dispute.openedAt},
        ${dispute.dueBy ?? null}, ${dispute.isClosed ? occurredAt : null}, ${occurredAt})
      on conflict (reference) do update set
        amount = excluded.amount, reason = excluded.reason, status = excluded.status, due_by = excluded.due_by,
        closed_at = excluded.closed_at, told_at = excluded.told_at
      where known.closed_at is null and known.told_at <= excluded.told_at`;
    return true;
  });
}

export interface Dispute extends Omit<DisputeNews, 'isClosed'> {
  closedAt: Date | undefined;
}

/** The newest disputes first. */
export async function listDisputes(database: Database, { open }: { open: boolean }, limit: number): Promise<Dispute[]> {
  const rows = await database<Record<keyof Dispute, never>[]>`
    select reference, order_id as "orderId", charge_reference as "chargeReference", amount, currency, reason, status,
      opened_at as "openedAt", due_by as "dueBy", closed_at as "closedAt"
    from disputes where not ${open} or closed_at is null order by opened_at desc, reference limit ${limit}`;
  return rows.map((row) => ({
    ...row,
    orderId: row.orderId ?? undefined,
    chargeReference: row.chargeReference ?? undefined,
    dueBy: row.dueBy ?? undefined,
    closedAt: row.closedAt ?? undefined,
  }));
}
