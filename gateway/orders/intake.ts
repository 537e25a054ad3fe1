// The interface between the reception and an intake, which makes orders durable. Gateway and edge agent have one intake each.

import type { ErrorCode } from '../../contracts/errors.ts';
import type { Order } from '../../contracts/order/order.ts';
import type { FieldError } from '../../contracts/validation.ts';

/** An order that passed every check of the reception, and is to become durable. */
export interface IntakeOrder {
  orderId: string;
  storeId: string;
  /** What the client sent, byte for byte. Where the client sent no orderId, one has been put in front. */
  value: Buffer;
  /** The same, decoded; absent when the scanner checked the order without decoding it (see `decodedOrder`). */
  order: Order | undefined;
  /** W3C trace context of the request, or of a new trace. */
  traceparent: string;
  /** The client's `x-request-id`; empty where it sent none. */
  requestId: string;
}

/** The decoded order, for an intake that needs its fields, as the spool does. Decodes the bytes of an order that only the scanner has read. */
export function decodedOrder({ order, value }: Pick<IntakeOrder, 'order' | 'value'>): Order {
  return order ?? (JSON.parse(value.toString('utf8')) as Order);
}

/** An intake refuses this order for a reason of its own. The client gets a problem with this code. */
export class IntakeRefusal extends Error {
  override name = 'IntakeRefusal';
  readonly code: ErrorCode;
  /** The fields at fault, if that is what it is about. */
  readonly errors: FieldError[] | undefined;

  constructor(code: ErrorCode, detail: string, errors?: FieldError[]) {
    super(detail);
    this.code = code;
    this.errors = errors;
  }
}

/**
 * Makes orders durable: in Kafka in a region, in the spool on disk in a restaurant. Everything before it (routes, schema, admission,
 * idempotency) is the same for both.
 */
export interface Intake {
  /**
   * `done(null)` promises that the order is durable: the client's 202 depends on it. With an error the order may or may not be
   * kept: the client gets 503 and sends the order again. With an `IntakeRefusal` the client gets its problem. `done` is called exactly once, within a deadline that the intake knows, and
   * never before `accept` returns.
   */
  accept(order: IntakeOrder, done: (error: Error | null) => void): void;
  /** `undefined` while orders can become durable, else the reason in a few words. */
  readiness(): string | undefined;
  /** A trouble with which the intake remains ready, because most orders can become durable. Absent for an intake that has no such troubles. */
  remark?(): string | undefined;
  /** Answers the orders in flight, then releases everything. */
  close(): Promise<void>;
}
