import { orderFingerprint } from '../../../contracts/order/fingerprint.ts';
import { orderSchema } from '../../../contracts/order/order.ts';
import { compileValidator } from '../../../contracts/validation.ts';
import type { Actor } from '../../../runtime/actor.ts';

const validate = compileValidator(orderSchema);

/** Decodes, checks and hashes each order, as the order-validator does before its turn: the work of a role without its store. */
export function createActor(): Actor<string> {
  return {
    decode({ value }) {
      const checked = validate(JSON.parse(String(value)));
      if (!checked.ok) throw new Error(`not an order: ${JSON.stringify(checked.errors)}`);
      return orderFingerprint(checked.value);
    },
  };
}
