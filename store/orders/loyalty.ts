// The ledger of points, and messages that were refused. Called by the loyalty role.

import type { Database } from '../database/database.ts';

/** Points that one event earned. */
export interface PointsEntry {
  /** The CloudEvent id, `<orderId>/<type>`: the key that makes it count once. */
  eventId: string;
  customerId: string;
  orderId: string;
  points: number;
  /** RFC 3339, when the event happened. */
  occurredAt: string;
}

/** A message that could not be used. */
export interface RefusedMessage {
  messageId: string;
  reason: string;
  data: Uint8Array;
  attributes: Record<string, string>;
}

/**
 * Writes an entry into the points ledger.
 * @returns false when the event was there already
 */
export async function creditPoints(sql: Database, entry: PointsEntry): Promise<boolean> {
  const credited = await sql`
    insert into loyalty_ledger (event_id, customer_id, order_id, points, occurred_at)
    values (${entry.eventId}, ${entry.customerId}, ${entry.orderId}, ${entry.points}, ${entry.occurredAt})
    on conflict (event_id) do nothing`;
  return credited.count === 1;
}

/** A customer's points; zero for a customer who has never earned any. */
export async function pointsBalance(sql: Database, customerId: string): Promise<number> {
  const [row] = await sql<{ points: string }[]>`
    select points from loyalty_balances where customer_id = ${customerId}`;
  return Number(row?.points ?? 0);
}

/**
 * Resolves if the ledger can be written. PostgreSQL refuses this statement for the same reasons as an entry: read-only, no permission, no
 * table.
 */
export async function probeLedger(sql: Database): Promise<void> {
  await sql`insert into loyalty_ledger (event_id) select '' where false`;
}

/**
 * Records a message that is not tried again. The same message delivered twice is one row; a message with the same id and other content is a
 * row of its own. (`sql.json` would send its attributes as jsonb, which refuses NUL.)
 */
export async function recordRefused(sql: Database, refused: RefusedMessage): Promise<void> {
  await sql`
    insert into loyalty_refused (message_id, reason, data, attributes)
    values (${refused.messageId}, ${refused.reason}, ${refused.data}, ${JSON.stringify(refused.attributes)}::text::json)
    on conflict do nothing`;
}
