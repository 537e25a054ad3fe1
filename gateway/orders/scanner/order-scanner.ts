import assert from 'node:assert/strict';
import { type Order, orderSchema } from '../../../contracts/order/order.ts';
import type { OrderKey } from '../order-key.ts';
import { hashSource } from './generation/hash-source.ts';
import type { ObjectPlan } from './generation/plan.ts';
import { scannerSource } from './generation/scanner-source.ts';
import { planOf } from './generation/schema-plan.ts';
import { ObjectHash } from './object-hash.ts';
import { tokens } from './tokens/index.ts';

/*
 * The scanner checks and hashes an order in one pass over its bytes; the content hash makes the same hash of an order that was decoded. Both are
 * generated from the schema when the process starts. Created by the reception; README.md in this folder says why, and how to measure them.
 */

/** What the reception needs to know of a valid order. */
export interface OrderContent {
  key: OrderKey;
  storeId: string;
  /** `ContentHash` of the order. */
  content: number;
}

/**
 * Reads an order off its bytes without decoding it, if it is a valid order in the usual spelling: ASCII without escapes, whole numbers, times
 * in UTC.
 */
export interface OrderScanner {
  /**
   * `undefined` says nothing about the order: the caller then decodes and validates it. So the scanner need not know every valid order, but it
   * must never take an order that the schema refuses.
   *
   * @param likelyStore the store of the sender's token. When the order is for that store, the same string is returned and none is allocated.
   */
  scan(input: Buffer, likelyStore?: string): OrderContent | undefined;
}

/**
 * A hash of what an order says, without its orderId: 53 bits, so that it is a plain number. It differs where `orderFingerprint` differs, and
 * costs a tenth of that. It is not cryptographic and never leaves this process: a client that forges a collision with an order of
 * its own only gets the answer for that order again, and the definitive comparison is the order-validator's.
 */
export interface ContentHash {
  /** The hash of a decoded, valid order. */
  of(order: Order): number;
}

/** @param schema of an object with orderId and storeId */
export function createOrderScanner(schema: object = orderSchema): OrderScanner {
  const { text, constants } = scannerSource(orderPlan(schema));
  const make = new Function('tokens', 'ObjectHash', 'constants', `${text}\n//# sourceURL=order-scanner.generated.js`);
  const scan: (input: Buffer, likelyStore: string) => OrderContent | undefined = make(tokens, ObjectHash, constants);
  return { scan: (input, likelyStore = '') => scan(input, likelyStore) };
}

export function createContentHash(schema: object = orderSchema): ContentHash {
  const text = hashSource(orderPlan(schema));
  return { of: new Function('ObjectHash', `${text}\n//# sourceURL=content-hash.generated.js`)(ObjectHash) };
}

/** The members that the scanner returns. An order without them is left to the general way. */
const returned = ['orderId', 'storeId'];

function orderPlan(schema: object): ObjectPlan {
  let tags = 0;
  const plan = planOf(schema, () => ++tags);
  assert(plan.kind === 'object', 'the schema of an order must list all members (additionalProperties: false)');
  const texts = plan.members.filter(({ name, plan: { kind } }) => kind === 'text' && returned.includes(name));
  assert.equal(texts.length, returned.length, `the schema of an order must have the texts ${returned.join(', ')}`);
  return {
    ...plan,
    members: plan.members.map((member) => (texts.includes(member) ? { ...member, isRequired: true } : member)),
  };
}
