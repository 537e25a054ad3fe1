import { InvalidArgumentError } from 'commander';
import { codeFrom } from '../../display/pairing/code.ts';

/** Parser of an argument: the code that a screen shows, with or without space, in any case. */
export function code(text: string): string {
  const found = codeFrom(text);
  if (found === undefined)
    throw new InvalidArgumentError('it takes the six letters and digits that the screen shows, for example "K7M 3QP".');
  return found;
}
