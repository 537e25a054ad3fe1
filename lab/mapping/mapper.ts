// What every mapper of a platform's order gets and gives. Used by the mappers, their tests and their documents.

import { type Order, orderTotal } from '../../contracts/order/order.ts';

/** What the integrator knows and the platform's order does not say. */
export interface Till {
  storeId: string;
  /** ISO 4217, for a platform whose orders name no currency. */
  currency: string;
  /** Token of a card, for an order that is not paid yet. */
  token?: string;
  /** SKUs of combos: what a guest chose for them are dishes of the menu. Deliverect says so itself. */
  combos?: readonly string[];
  /** What the platform names by a reference only: the name of a table, the type of a dining option. */
  names?: Readonly<Record<string, string>>;
}

/**
 * Where a field of the platform's order goes. In a path, `[]` is every element of a list, `**` any depth and `*` any letters. Elements
 * that need a rule of their own are named by their kind or type: `adjustments[tax].amount`, `modifiers[SPECIAL_REQUEST].displayName`.
 */
export interface MappedField {
  from: string;
  /** `menu`: the name is on the menu, under the SKU. */
  to: string;
  /**
   * `each`, the default: every value has a value of its own. `same`: all values are the one there. `sum`: the values add up to those there.
   * `within`: the value is part of a text there. `zero`: the same as `each`, but an amount of 0 has no place.
   */
  check?: 'each' | 'same' | 'sum' | 'within' | 'zero';
  /** The value as it stands in the order. */
  as?: (value: unknown, till: Till) => unknown;
  /** The same in words. */
  how?: string;
}

/** A field that has no place in the order, and why that loses nothing. */
export interface LeftOutField {
  from: string;
  because: string;
}

export type Field = MappedField | LeftOutField;

export interface Mapper<PlatformOrder> {
  name: string;
  /** Where the platform publishes the fields of its order. */
  source: string;
  map: (order: PlatformOrder, till: Till) => Order;
  /** Every field of the sample. The first one that fits counts, with those of the same path. */
  fields: readonly Field[];
}

/** An order of a platform that has no equal among our orders. It names the platform's field and what would be right. */
export class MappingError extends Error {
  override name = 'MappingError';
}

/**
 * The order, if it adds up to what the platform charges.
 * @throws MappingError for an amount that the mapper does not know, such as a new kind of fee
 */
export function addUp(order: Order): Order {
  const sum = orderTotal(order);
  if (sum === order.total) return order;
  throw new MappingError(
    `the platform's total is ${order.total}, and items and adjustments add up to ${sum} (minor units of ${order.currency}): map the rest`,
  );
}

/**
 * Who takes the money. Where the platform or the drawer has it, the method is cash: the mesh makes no charge. `metadata.paidBy` tells the
 * two apart.
 * @throws MappingError for an unpaid order without a card
 */
export function paymentOf(isSettled: boolean, { token }: Till): Order['payment'] {
  if (isSettled) return { method: 'cash' };
  if (token === undefined) throw new MappingError('the order is not paid yet: give the token of a card');
  return { method: 'card', token };
}
