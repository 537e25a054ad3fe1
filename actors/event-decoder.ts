import type { EventType, EventValues } from '../contracts/events.ts';
import type { Message } from '../runtime/actor.ts';

/** The event type of a record, from its CloudEvents header. @throws when it has none */
export function eventType(message: Message): string {
  const type = message.headers.ce_type;
  if (type === undefined) throw new Error('the record has no ce_type header');
  return type.toString();
}

/**
 * The value of an event that one of our own roles wrote.
 * @throws when it is not the JSON of an event of this order
 */
export function eventValue<T extends EventType>(_type: T, message: Message): EventValues[T] {
  if (message.value === null) throw new Error('the record has no value');
  const value: unknown = JSON.parse(message.value.toString('utf8'));
  if (typeof value !== 'object' || value === null || !('orderId' in value))
    throw new Error('the record is not an event');
  if (value.orderId !== message.key) throw new Error(`orderId ${value.orderId} is not the key ${message.key}`);
  return value as EventValues[T];
}
