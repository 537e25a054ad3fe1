// Reads the type and the value of an event that one of our roles wrote. Called by the actors of payment and kitchen.

import type { EventType, EventValues } from '../contracts/events.ts';
import type { Message } from '../runtime/actor.ts';
import { InvalidMessageError, parseValue } from './invalid-message.ts';

/**
 * The event type of a record, from its CloudEvents header.
 * @throws InvalidMessageError when the header is missing
 */
export function eventType(message: Message): string {
  const type = message.header('ce_type');
  if (type === undefined) throw new InvalidMessageError('invalid-event', 'the record has no ce_type header');
  return type;
}

/**
 * Reads the value of an event that one of our own roles wrote.
 * @throws InvalidMessageError when it is not the JSON of an event of this order
 */
export function eventValue<T extends EventType>(_type: T, message: Message): EventValues[T] {
  const value = parseValue(message.value, 'invalid-event');
  if (typeof value !== 'object' || value === null || !('orderId' in value))
    throw new InvalidMessageError('invalid-event', 'the record is not an event');
  if (value.orderId !== message.key)
    throw new InvalidMessageError('invalid-event', `orderId ${value.orderId} is not the key ${message.key}`);
  return value as EventValues[T];
}
