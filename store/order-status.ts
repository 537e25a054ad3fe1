import type { OrderStatus, RejectionReason } from '../contracts/events.ts';
import { groups } from '../contracts/topics.ts';
import type { Database } from './database.ts';

/** One step of an order's journey. */
export interface StatusStep {
  status: OrderStatus;
  /** RFC 3339. */
  at: string;
  /** In words: why it was rejected, declined or parked. */
  detail?: string;
}

export interface KnownOrderStatus {
  orderId: string;
  /** Empty for an order that was parked before it was decided: the database does not know its store. */
  storeId: string;
  status: OrderStatus;
  history: StatusStep[];
}

/** Roles whose dead letter stops the order; the bridge's stops only what others hear of it. */
const stoppingGroups = [groups.orderValidator, groups.payment, groups.kitchen];

interface StatusRow {
  storeId: string | null;
  decision: 'validated' | 'rejected' | null;
  reasons: RejectionReason[] | null;
  acceptedAt: Date | null;
  decidedAt: Date | null;
  paymentStatus: 'paid' | 'failed' | null;
  paymentCode: string | null;
  paymentDetail: string | null;
  paymentAt: Date | null;
  cookingAt: Date | null;
  cookedAt: Date | null;
  recalledAt: Date | null;
  parkedAt: Date | null;
  parkedBy: string | null;
  parkedError: string | null;
  discardedAt: Date | null;
  discardedFrom: string | null;
  discardedWhy: string | null;
}

/**
 * What the database knows of an order, from its decision on; undefined before that. The last step of the history is the status.
 * @param orderId a UUID
 */
export async function orderStatus(database: Database, orderId: string): Promise<KnownOrderStatus | undefined> {
  const [row] = await database<StatusRow[]>`
    select o.store_id as "storeId", o.decision, o.reasons, o.accepted_at as "acceptedAt", o.decided_at as "decidedAt",
      p.status as "paymentStatus", p.code as "paymentCode", p.detail as "paymentDetail", p.decided_at as "paymentAt",
      t.cooking_at as "cookingAt", t.cooked_at as "cookedAt", t.recalled_at as "recalledAt",
      d.parked_at as "parkedAt", d.consumer_group as "parkedBy", d.error as "parkedError",
      g.settled_at as "discardedAt", g.consumer_group as "discardedFrom", g.why as "discardedWhy"
    from (select ${orderId}::uuid as order_id) as asked
    left join orders o using (order_id)
    left join payments p using (order_id)
    left join tickets t using (order_id)
    left join lateral (
      select parked_at, consumer_group, error from parked_keys
      where key = ${orderId}::text and released_at is null and consumer_group = any(${stoppingGroups}::text[])
      order by parked_at desc limit 1
    ) d on true
    left join lateral (
      select l.settled_at, l.consumer_group, a.why
      from dead_letters l
      join dead_letter_trace t using (consumer_group, topic, partition, log, record_offset)
      join dead_letter_acts a on a.id = t.act
      where l.key = ${orderId}::text and l.consumer_group = any(${stoppingGroups}::text[])
        and l.state = 'discarded' and t.event = 'discarded'
      order by l.settled_at desc limit 1
    ) g on true`;
  if (row === undefined || (row.decision === null && row.parkedAt === null && row.discardedAt === null))
    return undefined;
  const history = steps(row);
  return {
    orderId,
    storeId: row.storeId ?? '',
    status: history.at(-1)?.status ?? 'accepted',
    history: history.map(({ status, at, detail }) => ({
      status,
      at: at.toISOString(),
      ...(detail === undefined ? {} : { detail }),
    })),
  };
}

/** Whether what the discarded message should have brought is missing, so that the order goes no further. */
function endedByDiscard({ discardedFrom, decision, paymentStatus, cookedAt }: StatusRow): boolean {
  switch (discardedFrom) {
    case groups.orderValidator:
      return decision === null;
    case groups.payment:
      return paymentStatus === null;
    default:
      return cookedAt === null;
  }
}

interface Step {
  status: OrderStatus;
  at: Date;
  detail?: string;
}

/**
 * In the order in which the steps follow from each other; clocks of several machines have no say in it. A recall takes the order back to
 * paid: the guest waits again.
 */
function steps(row: StatusRow): Step[] {
  const found: Step[] = [];
  const add = (status: OrderStatus, at: Date | null, detail?: string) => {
    if (at !== null) found.push({ status, at, ...(detail === undefined ? {} : { detail }) });
  };
  add('accepted', row.acceptedAt);
  if (row.decision === 'validated') add('validated', row.decidedAt);
  if (row.decision === 'rejected')
    add('rejected', row.decidedAt, row.reasons?.map((reason) => reason.detail).join('; '));
  if (row.paymentStatus === 'paid') add('paid', row.paymentAt);
  if (row.paymentStatus === 'failed') add('payment-failed', row.paymentAt, `${row.paymentCode}: ${row.paymentDetail}`);
  add('paid', row.recalledAt, 'recalled by the kitchen');
  add('cooking', row.cookingAt);
  add('cooked', row.cookedAt);
  add('parked', row.parkedAt, `by ${row.parkedBy}: ${row.parkedError}`);
  if (row.parkedAt === null && endedByDiscard(row))
    add('parked', row.discardedAt, `by ${row.discardedFrom}, then discarded: ${row.discardedWhy}`);
  return found;
}
