// Reads the status and the history of an order. Called by the gateway.

import type { ConflictReason, OrderStatus, RejectionReason } from '../../contracts/events.ts';
import { storeIdIn } from '../../contracts/order/order.ts';
import { stoppingGroups } from '../../contracts/order/order-states.ts';
import { groups } from '../../contracts/topics.ts';
import type { Database } from '../database/database.ts';

/** One step of an order's journey. */
export interface StatusStep {
  status: OrderStatus;
  /** RFC 3339. */
  at: string;
  /** In words: why the order was rejected, declined or parked. */
  detail?: string;
}

export interface KnownOrderStatus {
  orderId: string;
  /** Empty for an order that was parked before it was decided, because the database does not know its store. */
  storeId: string;
  status: OrderStatus;
  history: StatusStep[];
}

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
  conflicts: ConflictRow[] | null;
}

/** Content that arrived under an orderId of another order, as JSON. */
interface ConflictRow {
  storeId: string | null;
  seenAt: string;
  acceptedAt: string | null;
  reasons: ConflictReason[] | null;
}

/** How many dead letters of one order are searched for their store. */
const LETTERS_MAX = 100;

/**
 * What the database knows of an order, from its decision on; undefined before that. The last step of the history is the status, except
 * `conflicting` steps, which concern another content.
 * @param orderId a UUID
 * @param ofStore what this store may know. If the orderId belongs to another store's order, the answer is what became of the content that
 *   this store sent.
 */
export async function orderStatus(
  database: Database,
  orderId: string,
  ofStore?: string,
): Promise<KnownOrderStatus | undefined> {
  const [row] = await database<StatusRow[]>`
    select o.store_id as "storeId", o.decision, o.reasons, o.accepted_at as "acceptedAt", o.decided_at as "decidedAt",
      p.status as "paymentStatus", p.code as "paymentCode", p.detail as "paymentDetail", p.decided_at as "paymentAt",
      t.cooking_at as "cookingAt", t.cooked_at as "cookedAt", t.recalled_at as "recalledAt",
      d.parked_at as "parkedAt", d.consumer_group as "parkedBy", d.error as "parkedError",
      g.settled_at as "discardedAt", g.consumer_group as "discardedFrom", g.why as "discardedWhy", c.conflicts
    from (select ${orderId}::uuid as order_id) as asked
    left join orders o using (order_id)
    left join payments p using (order_id)
    left join tickets t using (order_id)
    left join lateral (
      select json_agg(json_build_object('storeId', store_id, 'seenAt', seen_at, 'acceptedAt', accepted_at, 'reasons', reasons) order by n)
        as conflicts
      from order_conflicts where order_id = ${orderId}::uuid
    ) c on true
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
  if (row === undefined) return undefined;
  const { storeId, decision, parkedAt, discardedAt } = row;
  if (decision !== null && storeId !== null && (ofStore === undefined || storeId === ofStore)) {
    const history = steps(row, storeId);
    const last = history.findLast(({ status }) => status !== 'conflicting');
    return told(orderId, storeId, last?.status ?? 'accepted', history);
  }
  if (ofStore !== undefined) {
    const history = conflictSteps(row, ofStore);
    if (history.length > 0) return told(orderId, ofStore, 'conflicting', history);
  }
  if (parkedAt === null && discardedAt === null) return undefined;
  // A message without a decision: only the message itself says whose it is.
  const stores = await storesOfLetters(database, orderId);
  const parkedOf = ofStore === undefined ? stores[0] : stores.find((store) => store === ofStore);
  if (parkedOf === undefined && (stores.length > 0 || decision !== null)) return undefined;
  const history = steps({ ...row, ...undecided }, parkedOf ?? '');
  // The reason describes the message that failed, which may be another store's, so it is not shown.
  const isOwnFault = stores.every((store) => store === parkedOf) && decision === null;
  return told(orderId, parkedOf ?? '', 'parked', isOwnFault ? history : history.map(withoutDetail));
}

function withoutDetail({ status, at }: Step): Step {
  return { status, at };
}

function told(orderId: string, storeId: string, status: OrderStatus, history: readonly Step[]): KnownOrderStatus {
  return {
    orderId,
    storeId,
    status,
    history: history.map(({ status, at, detail }) => ({
      status,
      at: at.toISOString(),
      ...(detail === undefined ? {} : { detail }),
    })),
  };
}

/** Columns in the row of an orderId that only its own store may see. */
const undecided = {
  decision: null,
  reasons: null,
  acceptedAt: null,
  decidedAt: null,
  paymentStatus: null,
  paymentAt: null,
  cookingAt: null,
  cookedAt: null,
  recalledAt: null,
} satisfies Partial<StatusRow>;

/**
 * The stores whose messages are parked, or were discarded without a decision, oldest first. A value that is no order names no store, and no
 * gateway has accepted it.
 */
async function storesOfLetters(database: Database, orderId: string): Promise<string[]> {
  const letters = await database<{ value: Buffer | null }[]>`
    select value from dead_letters
    where key = ${orderId}::text and consumer_group = ${groups.orderValidator} and state <> 'replayed'
    order by record_offset limit ${LETTERS_MAX}`;
  return letters.flatMap(({ value }) => storeIdIn(value) ?? []);
}

/** What became of content that a store sent under an orderId of another store's order. */
function conflictSteps({ conflicts }: StatusRow, storeId: string): Step[] {
  const found: Step[] = [];
  for (const { seenAt, acceptedAt, reasons, ...conflict } of conflicts ?? []) {
    if (conflict.storeId !== storeId) continue;
    found.push({ status: 'accepted', at: new Date(acceptedAt ?? seenAt) }, conflictStep(seenAt, reasons));
  }
  return found;
}

function conflictStep(seenAt: string, reasons: readonly ConflictReason[] | null): Step {
  const detail = reasons?.map((reason) => reason.detail).join('; ');
  return { status: 'conflicting', at: new Date(seenAt), ...(detail === undefined ? {} : { detail }) };
}

/** Whether the result of the discarded message is missing, so that the order goes no further. */
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
 * In the order in which the steps follow from each other, because the clocks of several machines differ. A recall takes the order back to
 * paid: the guest waits again.
 */
function steps(row: StatusRow, storeId: string): Step[] {
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
  // Later contents of this store under the same orderId. Their place in the history is by the validator's clock.
  for (const conflict of row.conflicts ?? []) {
    if (conflict.storeId !== storeId) continue;
    const step = conflictStep(conflict.seenAt, conflict.reasons);
    const before = found.findLastIndex(({ at }) => at.getTime() <= step.at.getTime());
    found.splice(before + 1, 0, step);
  }
  return found;
}
