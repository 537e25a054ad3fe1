// The error for a record that does not hold what its topic should, and the JSON parser that throws it. Used by the actors' decoders.

import { isUtf8 } from 'node:buffer';
import { jsonFault } from '../contracts/validation.ts';

/**
 * Which kind of message it should have been: `invalid-order` for what a client sent, `invalid-event` for what one of our own roles wrote.
 */
export type InvalidMessageCode = 'invalid-order' | 'invalid-event';

/** The bytes are not what the topic should hold. `code` becomes the reason of the dead letter; the message says what is wrong. */
export class InvalidMessageError extends Error {
  override name = 'InvalidMessageError';
  readonly code: InvalidMessageCode;

  constructor(code: InvalidMessageCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** @throws InvalidMessageError for a record without a value, or with a value that is not JSON */
export function parseValue(value: Buffer | null, code: InvalidMessageCode): unknown {
  if (value === null) throw new InvalidMessageError(code, 'the record has no value');
  // Other decoders replace invalid bytes by U+FFFD and go on with a text that was never sent.
  if (!isUtf8(value)) throw new InvalidMessageError(code, 'not valid UTF-8');
  try {
    return JSON.parse(value.toString('utf8'));
  } catch (error) {
    throw new InvalidMessageError(code, `not JSON: ${jsonFault(error)}`);
  }
}
