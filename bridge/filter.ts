import type { EventType } from '../contracts/events.ts';

/** Which events are of high value: by type, and by the total of the order. */
export interface HighValueRule {
  /** Event types that are published; all others stay in Kafka. */
  types: ReadonlySet<string>;
  /** Smallest order total that is published, in minor units of the order's currency. */
  minTotal: number;
}

export function highValueRule(types: readonly EventType[], minTotal: number): HighValueRule {
  return { types: new Set(types), minTotal };
}

/**
 * Whether an event is published. The type is checked first, and the value is read only if the type fits, because most events are of other
 * types.
 *
 * An order's total never changes, so either all events of these types are published or none: a reader never sees half an order.
 * @throws TypeError when the value is no event; the message is poison then
 */
export function isHighValue(rule: HighValueRule, type: string, value: () => unknown): boolean {
  if (!rule.types.has(type)) return false;
  const total = totalOf(value());
  return total >= rule.minTotal;
}

function totalOf(event: unknown): number {
  const total = typeof event === 'object' && event !== null && 'total' in event ? event.total : undefined;
  if (!Number.isSafeInteger(total)) throw new TypeError('total is missing; an event carries it in whole minor units');
  return total as number;
}
