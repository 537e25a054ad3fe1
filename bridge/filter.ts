import type { EventType } from '../contracts/events.ts';

/** What counts as a high-value event: its type, and the size of its order. */
export interface HighValueRule {
  /** Event types that go out; anything else stays in Kafka. */
  types: ReadonlySet<string>;
  /** Smallest order total that goes out, in minor units of the order's own currency. */
  minTotal: number;
}

export function highValueRule(types: readonly EventType[], minTotal: number): HighValueRule {
  return { types: new Set(types), minTotal };
}

/**
 * Whether an event leaves for Pub/Sub. The type is asked first and the value read only if it fits, since most events of the topic
 * are of another type.
 *
 * An order's total never changes, so either all of its events of these types go out or none: a reader never sees half an order.
 * @throws TypeError when the value is no event: the message is poison, not of low value.
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
