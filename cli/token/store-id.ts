import { InvalidArgumentError } from 'commander';
import { storeIdSchema } from '../../contracts/order/order.ts';
import { compileValidator } from '../../contracts/validation.ts';

const isStoreId = compileValidator(storeIdSchema);

/** Parser of an option's value: the id of a store, by the same rule as at the gateway. */
export function storeId(text: string): string {
  if (isStoreId(text).ok) return text;
  throw new InvalidArgumentError(
    'it takes a store id such as us-il-0001: lower-case letters and digits in groups with a hyphen between them, 2 to 32 characters.',
  );
}
