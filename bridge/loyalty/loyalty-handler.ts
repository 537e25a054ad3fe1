// The loyalty function: credits points for each pushed event. Served by loyalty-function.ts and, in Google's cloud, by loyalty-entry.ts.

import { describeError, faultOf } from '../../runtime/outage.ts';
import { type BoundedPool, creditPoints, recordRefused, sqlFault } from '../../store/index.ts';
import { describeFields, pointsEntry, validatePaidOrder } from './points.ts';
import { readPushedMessage } from './push-message.ts';

/** The result of a pushed message. `ignored`: an event that earns no points. */
export type LoyaltyOutcome = 'credited' | 'duplicate' | 'ignored' | 'refused';

export interface LoyaltyHandlerOptions {
  /** Its calls need a time limit: without one, Pub/Sub would push again meanwhile, and every push would hold a connection. */
  pool: Pick<BoundedPool, 'call'>;
  unitsPerPoint: number;
  /** Called once for each message that is answered; `points` are the newly credited ones. */
  onOutcome?(outcome: LoyaltyOutcome, points: number, reason?: string): void;
  /** The ledger can't be written. Pub/Sub pushes the message again. */
  onFailure?(reason: string, messageId: string): void;
}

/** A message is refused after this many failures for an unknown reason, as many as the attempts of a Kafka message. */
const UNKNOWN_FAILURES_MAX = 4;
/** The failures of this many messages are remembered; the oldest are forgotten. */
const REMEMBERED_MAX = 10_000;

/**
 * The loyalty function. It resolves when the message is done, which acknowledges it. It rejects while the ledger can't be written, and
 * Pub/Sub pushes again with a growing back-off. A message that keeps failing without a sign of an outage is refused.
 *
 * A message that can't be used is recorded in `loyalty_refused` and acknowledged, instead of left to a dead-letter policy of Pub/Sub.
 * Pushing it again can't help. The record is beside the ledger, where an investigation starts. A dead-letter topic would need a
 * subscription, a retention and permissions of its own. The record is written before the acknowledgement, so the message is not lost.
 */
export function createLoyaltyHandler({ pool, unitsPerPoint, onOutcome, onFailure }: LoyaltyHandlerOptions) {
  const failures = new Map<string, number>();

  return async (event: unknown): Promise<void> => {
    const message = readPushedMessage(event);
    try {
      await handle(message);
    } catch (error) {
      onFailure?.(describeError(error), 'reason' in message ? message.id : message.messageId);
      throw error;
    }
  };

  async function handle(message: ReturnType<typeof readPushedMessage>): Promise<void> {
    if ('reason' in message) return refuse(message.id, message.reason, message.data, {});
    const { messageId, data, attributes } = message;
    if (attributes.type === undefined || attributes.id === undefined)
      return refuse(messageId, 'the attributes id and type are missing', data, attributes);
    if (attributes.type !== 'order.paid') return done('ignored');
    const paid = validatePaidOrder(parseJson(data));
    if (!paid.ok) return refuse(messageId, `no order.paid event: ${describeFields(paid.errors)}`, data, attributes);
    const entry = pointsEntry(attributes.id, paid.value, unitsPerPoint);
    if (entry === undefined) return done('ignored');
    try {
      if (await pool.call((sql) => creditPoints(sql, entry))) done('credited', entry.points);
      else done('duplicate');
      failures.delete(messageId);
    } catch (error) {
      if (faultOf(error) !== 'message' || !isHopeless(messageId, error)) throw error;
      await refuse(messageId, `the ledger refuses the entry: ${describeError(error)}`, data, attributes);
    }
  }

  /** If the database refuses the values, that is final. Any other failure without an outage gets as many attempts as a Kafka message. */
  function isHopeless(messageId: string, error: unknown): boolean {
    const { code } = error as { code?: unknown };
    if (typeof code === 'string' && sqlFault(code) === 'message') return true;
    const count = (failures.get(messageId) ?? 0) + 1;
    failures.delete(messageId);
    failures.set(messageId, count);
    for (const oldest of failures.keys()) {
      if (failures.size <= REMEMBERED_MAX) break;
      failures.delete(oldest);
    }
    return count >= UNKNOWN_FAILURES_MAX;
  }

  async function refuse(messageId: string, reason: string, data: Buffer, attributes: Record<string, string>) {
    // PostgreSQL takes no NUL in text or json, and the sender decides what the text is.
    const clean = (text: string) => text.replaceAll('\0', '').toWellFormed();
    const refused = { messageId: clean(messageId), reason: clean(reason), data, attributes };
    await pool.call((sql) => recordRefused(sql, refused));
    failures.delete(messageId);
    onOutcome?.('refused', 0, reason);
  }

  function done(outcome: LoyaltyOutcome, points = 0): void {
    onOutcome?.(outcome, points);
  }
}

/** `undefined`, which no schema accepts, if the bytes are not JSON. */
function parseJson(data: Buffer): unknown {
  try {
    return JSON.parse(data.toString('utf8'));
  } catch {
    // Not JSON: the schema refuses it.
    return undefined;
  }
}
