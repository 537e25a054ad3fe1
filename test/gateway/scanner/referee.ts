// Compares the order scanner with decoding, ajv and the hash of the decoded order. Used by the tests of the order scanner.

import type { Order } from '../../../contracts/order/order.ts';
import { compileValidator } from '../../../contracts/validation.ts';
import { orderKey } from '../../../gateway/orders/order-key.ts';
import { decodeJson } from '../../../gateway/orders/scanner/order-bytes.ts';
import {
  createContentHash,
  createOrderScanner,
  type OrderContent,
} from '../../../gateway/orders/scanner/order-scanner.ts';

/** What both made of the same bytes. */
export type Verdict = 'read' | 'left' | 'refused';

export interface Referee {
  scan(bytes: Buffer, likelyStore?: string): OrderContent | undefined;
  /** What the general way makes of the bytes: decoding, validating, hashing. */
  decodedContent(bytes: Buffer): OrderContent | undefined;
  hashOf(value: unknown): number;
  isValid(value: unknown): boolean;
  /** `read`: by both, with the same result. `left`: valid, and left to the general way. @throws where they differ, with the bytes */
  judge(bytes: Buffer, likelyStore?: string): Verdict;
}

export function createReferee(schema: object): Referee {
  const scanner = createOrderScanner(schema);
  const hash = createContentHash(schema);
  const validate = compileValidator(schema);
  const decodedContent = (bytes: Buffer) => {
    const decoded = decodeJson(bytes);
    if (!decoded.ok) return undefined;
    const validated = validate(decoded.value);
    if (!validated.ok) return undefined;
    const order = validated.value as Order;
    return { key: orderKey(order.orderId), storeId: order.storeId, content: hash.of(order) };
  };
  return {
    scan: (bytes, likelyStore) => scanner.scan(bytes, likelyStore),
    decodedContent,
    hashOf: (value) => hash.of(value as Order),
    isValid: (value) => validate(value).ok,
    judge(bytes, likelyStore) {
      const scanned = scanner.scan(bytes, likelyStore);
      const decoded = decodedContent(bytes);
      if (scanned === undefined) return decoded === undefined ? 'refused' : 'left';
      if (isSame(scanned, decoded)) return 'read';
      const text = JSON.stringify(bytes.toString('latin1'));
      throw new Error(`the scanner made ${JSON.stringify(scanned)} and decoding ${JSON.stringify(decoded)} of ${text}`);
    },
  };
}

function isSame(one: OrderContent, other: OrderContent | undefined): boolean {
  if (other === undefined || one.storeId !== other.storeId || one.content !== other.content) return false;
  const { key } = one;
  return (Object.keys(key) as (keyof typeof key)[]).every((name) => key[name] === other.key[name]);
}

const usualInstant = /^20\d\d-(?!02-29)\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{3})?Z$/;

/** Longer orders are left to the general way. */
const LENGTH_MAX = 16_384;

/** Whether the scanner must read these bytes if they are valid: plain ASCII, no escapes, whole numbers, no empty objects, times in UTC. */
export function isUsual(bytes: Buffer): boolean {
  const text = bytes.toString('latin1');
  if (bytes.length > LENGTH_MAX || /[^\n\r\t -~]|\\|\{\s*\}/.test(text)) return false;
  const withoutTexts = text.replaceAll(/"[^"]*"/g, '');
  if (/\d[.eE]/.test(withoutTexts)) return false;
  return [...text.matchAll(/"(\d{4}-\d\d-\d\d[^"]*)"/g)].every(([, instant = '']) => usualInstant.test(instant));
}
