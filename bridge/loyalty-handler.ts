import type { Database } from '../store/database.ts';
import { creditPoints, recordRefused } from '../store/loyalty.ts';
import { describeFields, pointsEntry, validatePaidOrder } from './points.ts';
import { readPushedMessage } from './push-message.ts';

/** What became of a pushed message. `ignored`: an event that earns no points. */
export type LoyaltyOutcome = 'credited' | 'duplicate' | 'ignored' | 'refused';

export interface LoyaltyHandlerOptions {
  sql: Database;
  unitsPerPoint: number;
  /** Called once for each message that is answered; `points` are those newly credited. */
  onOutcome?(outcome: LoyaltyOutcome, points: number, reason?: string): void;
}

/**
 * The loyalty function. It resolves, and so acknowledges, when the message is done with; it rejects only while the ledger can't be
 * written, and Pub/Sub pushes again with a growing back-off.
 *
 * A message that nothing can be made of is acknowledged and recorded in `loyalty_refused`, rather than left to a dead-letter policy: pushing it
 * again can't help, the record stands beside the ledger where whoever looks into it has to look anyway, and the dead-letter topic would need a
 * subscription, a retention and permissions of its own. The message is recorded before it is acknowledged, so it is never just gone.
 */
export function createLoyaltyHandler({ sql, unitsPerPoint, onOutcome }: LoyaltyHandlerOptions) {
  return async (event: unknown): Promise<void> => {
    const message = readPushedMessage(event);
    if ('reason' in message) return refuse(message.id, message.reason, null, {});
    const { messageId, data, attributes } = message;
    if (attributes.type === undefined || attributes.id === undefined)
      return refuse(messageId, 'the attributes id and type are missing', data, attributes);
    if (attributes.type !== 'order.paid') return done('ignored');
    const paid = validatePaidOrder(parseJson(data));
    if (!paid.ok) return refuse(messageId, `no order.paid event: ${describeFields(paid.errors)}`, data, attributes);
    const entry = pointsEntry(attributes.id, paid.value, unitsPerPoint);
    if (entry === undefined) return done('ignored');
    try {
      if (await creditPoints(sql, entry)) done('credited', entry.points);
      else done('duplicate');
    } catch (error) {
      if (!isRefusedValue(error)) throw error;
      await refuse(messageId, `the ledger refuses the entry: ${error.message}`, data, attributes);
    }
  };

  async function refuse(messageId: string, reason: string, data: Buffer | null, attributes: Record<string, string>) {
    await recordRefused(sql, { messageId, reason, data, attributes });
    onOutcome?.('refused', 0, reason);
  }

  function done(outcome: LoyaltyOutcome, points = 0): void {
    onOutcome?.(outcome, points);
  }
}

/** SQLSTATE class 22, data exception, such as a NUL character in a name: the value is at fault, and will be the next time too. */
function isRefusedValue(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && /^22...$/.test(String(error.code));
}

/** `undefined`, which no schema accepts, for bytes that are no JSON. */
function parseJson(data: Buffer): unknown {
  try {
    return JSON.parse(data.toString('utf8'));
  } catch {
    return undefined;
  }
}
