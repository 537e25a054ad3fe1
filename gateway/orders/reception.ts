// Takes the orders of all transports, checks them and gives them to the intake. Created by server/build.ts.

import { type Clock, stopwatch } from '../../contracts/clock.ts';
import { type ErrorCode, type Problem, problem } from '../../contracts/errors.ts';
import { type Order, orderSchema } from '../../contracts/order/order.ts';
import { compileValidator, type FieldError } from '../../contracts/validation.ts';
import { stage } from '../../telemetry/stages/stage.ts';
import { threadStages } from '../../telemetry/stages/stage-clock.ts';
import type { Identity } from '../identity/identity.ts';
import type { GatewayMetrics } from '../metrics.ts';
import type { Admission } from './admission.ts';
import { type Intake, IntakeRefusal } from './intake.ts';
import { orderKey } from './order-key.ts';
import type { OrderInFlight, RecentOrder, RecentOrders } from './recent-orders.ts';
import { decodeJson, newOrderId, withOrderId } from './scanner/order-bytes.ts';
import {
  createContentHash,
  createOrderScanner,
  type OrderContent,
  type OrderScanner,
} from './scanner/order-scanner.ts';

/**
 * One order that a transport hands to the reception, with all that the reception needs to know of it. Each transport has a class for this and
 * makes one object per order. The reception calls exactly one of `accepted` and `refused`, exactly once.
 */
export interface Submission {
  /** The order as JSON. The transport must not change these bytes afterwards. Absent where a frame contained the order: then see `decoded`. */
  bytes?: Buffer | undefined;
  /** The order as decoded from a frame; the reception writes it to the log as JSON. Not read where there are `bytes`. */
  decoded?: unknown;
  /** Bytes that the order took on the wire. The admission counts them until the order is answered. */
  readonly size: number;
  /** Who sends the order, and for which store. */
  readonly identity: Identity;
  /** W3C trace context of the request, or of a new trace. */
  readonly traceparent: string;
  /** The client's `x-request-id`; empty where the client sent none. */
  readonly requestId: string;
  accepted(orderId: string): void;
  /** `orderId` where the order was readable enough to have one. */
  refused(problem: Problem, orderId?: string): void;
}

export interface ReceptionOptions {
  /** Why this region takes no orders now; `undefined` while it takes orders. */
  passive?: (() => string | undefined) | undefined;
  intake: Intake;
  admission: Admission;
  recent: RecentOrders<Submission>;
  metrics: GatewayMetrics;
  clock: Clock;
  /** Whether the scanner reads orders first (ORDERMESH_ORDER_SCANNER); default: yes. Without it every order is decoded and checked against the schema. */
  scans?: boolean;
}

const validateOrder = compileValidator(orderSchema);

/** About the time to live of the name that a failover moves: by then a client finds the active region. */
const PASSIVE_RETRY_S = 5;

/**
 * The one path for orders of every transport (HTTP, batch, WebSocket, gRPC): admission, check against the schema, store of the token,
 * idempotency, then the intake. Synchronous up to the intake, without a promise per order.
 */
export class Reception {
  /** Set on shutdown: new orders are refused, orders in flight are answered. */
  draining = false;
  readonly admission: Admission;
  readonly recent: RecentOrders<Submission>;
  readonly #intake: Intake;
  readonly #metrics: GatewayMetrics;
  readonly clock: Clock;
  readonly #passive: (() => string | undefined) | undefined;
  readonly #hash = createContentHash();
  readonly #scanner: OrderScanner | undefined;
  #idle: (() => void) | undefined;

  constructor({ intake, admission, recent, metrics, clock, passive, scans = true }: ReceptionOptions) {
    this.#scanner = scans ? createOrderScanner() : undefined;
    this.#passive = passive;
    this.#intake = intake;
    this.admission = admission;
    this.recent = recent;
    this.#metrics = metrics;
    this.clock = clock;
  }

  submit(submission: Submission): void {
    threadStages.passed(stage.read, 1);
    threadStages.to(stage.check);
    if (!this.#admit(submission)) return;
    threadStages.passed(stage.check, 1);
    const { bytes } = submission;
    // A submission lives until its answer. Only the intake should hold the order meanwhile, so the submission gives it up.
    if (bytes === undefined) {
      const { decoded } = submission;
      submission.decoded = undefined;
      this.#check(decoded, undefined, submission);
      return;
    }
    submission.bytes = undefined;
    const scanned = this.#scanner?.scan(bytes, submission.identity.store);
    if (scanned !== undefined) {
      this.#take(scanned, undefined, bytes, submission);
      return;
    }
    const decoded = decodeJson(bytes);
    if (decoded.ok) this.#check(decoded.value, bytes, submission);
    else this.#refuse(submission, 'malformed-body', decoded.detail);
  }

  /** Why this region takes no orders now; `undefined` while it takes orders. */
  get passive(): string | undefined {
    return this.#passive?.();
  }

  /** Resolves when no order is in flight. */
  async drained(): Promise<void> {
    if (this.admission.orders === 0) return;
    await new Promise<void>((resolve) => {
      this.#idle = resolve;
    });
  }

  #admit(submission: Submission): boolean {
    if (this.draining) {
      this.#turnAway(submission, 'draining', 'this instance is shutting down');
      return false;
    }
    const passive = this.#passive?.();
    if (passive !== undefined) {
      this.#turnAway(submission, 'region-passive', passive, PASSIVE_RETRY_S);
      return false;
    }
    const { limit } = submission.identity;
    if (limit !== undefined) {
      const waitMs = limit.take(this.clock.now());
      if (waitMs > 0) {
        const detail = 'more orders than the rate of this store or device allows';
        this.#turnAway(submission, 'rate-limited', detail, Math.ceil(waitMs / 1_000));
        return false;
      }
    }
    if (this.admission.admit(submission.size)) return true;
    const detail = this.admission.isSlow
      ? 'orders are not answered fast enough for more of them to be taken'
      : 'too many orders are in flight in this instance';
    this.#turnAway(submission, 'overloaded', detail, this.admission.retryAfterS());
    return false;
  }

  /** Refuses an order that was not admitted. */
  #turnAway(submission: Submission, code: ErrorCode, detail: string, retryAfterS?: number): void {
    this.#metrics.refused(code);
    const refusal = problem(code, detail);
    if (retryAfterS !== undefined) refusal.retryAfterS = retryAfterS;
    submission.refused(refusal);
  }

  /** The general way: a decoded order is checked against the schema. `bytes` are the JSON that it was decoded from, if any. */
  #check(value: unknown, bytes: Buffer | undefined, submission: Submission): void {
    const anonymous = lacksOrderId(value);
    if (anonymous) value.orderId = newOrderId();
    const validated = validateOrder(value);
    if (!validated.ok) {
      const refusal = problem('invalid-order', 'the order does not match the schema', validated.errors);
      this.#release(submission.size);
      this.#metrics.refused('invalid-order');
      submission.refused(refusal, anonymous ? undefined : orderIdOf(value));
      return;
    }
    const order = validated.value;
    const body =
      bytes === undefined ? Buffer.from(JSON.stringify(order)) : anonymous ? withOrderId(bytes, order.orderId) : bytes;
    const content = { key: orderKey(order.orderId), storeId: order.storeId, content: this.#hash.of(order) };
    this.#take(content, order, body, submission);
  }

  /** A valid order, as `value` for the log. `order` is absent where the scanner read the order and nothing decoded it. */
  #take(
    { key, storeId: ofStore, content }: OrderContent,
    order: Order | undefined,
    value: Buffer,
    submission: Submission,
  ): void {
    const { orderId } = key;
    const { identity, traceparent, requestId } = submission;
    if (identity.store !== undefined && identity.store !== ofStore) {
      const detail = `the token is for store ${identity.store}, the order for ${ofStore}`;
      this.#refuse(submission, 'forbidden', detail, orderId);
      return;
    }
    // Prefer the token's string of the same store: every order looks it up in maps, and V8 has computed its hash already.
    const storeId = identity.store ?? ofStore;
    const earlier = this.recent.get(key);
    if (earlier !== undefined) {
      this.#repeat(earlier, content, orderId, submission);
      return;
    }
    const recent = this.recent.begin(key, storeId, content);
    const startedAt = stopwatch.now();
    threadStages.to(stage.append);
    this.#intake.accept({ orderId, storeId, value, order, traceparent, requestId }, (error) => {
      // The orders of one request of the intake are answered together, and only the first one looks at the clock here.
      threadStages.at(stage.answer);
      const elapsedMs = stopwatch.now() - startedAt;
      this.#metrics.answered(error === null, elapsedMs);
      threadStages.waited(stage.append, elapsedMs);
      threadStages.passed(stage.append, 1);
      this.#settle(recent, submission, error);
      threadStages.passed(stage.answer, 1);
    });
  }

  /** With the same content it is the same order, in flight or accepted already. Other content is a conflict. */
  #repeat(earlier: RecentOrder<Submission>, content: number, orderId: string, submission: Submission): void {
    if (earlier.content !== content) {
      this.#refuse(submission, 'order-conflict', `order ${orderId} was sent before with other content`, orderId);
    } else if (earlier.acceptedAt === 0) {
      earlier.waiters ??= [];
      earlier.waiters.push(submission);
    } else {
      this.#release(submission.size);
      submission.accepted(orderId);
    }
  }

  /** The intake has answered: answers the order and the repeats that waited for it. */
  #settle(order: OrderInFlight<Submission>, submission: Submission, error: Error | null): void {
    if (error === null) this.recent.accepted(order);
    else this.recent.failed(order);
    const { waiters } = order;
    const { orderId } = order.key;
    this.#answer(orderId, submission, error);
    if (waiters === undefined) return;
    for (const waiter of waiters) this.#answer(orderId, waiter, error);
  }

  #answer(orderId: string, submission: Submission, error: Error | null): void {
    if (error === null) {
      this.#release(submission.size);
      submission.accepted(orderId);
    } else if (error instanceof IntakeRefusal) {
      this.#refuse(submission, error.code, error.message, orderId, error.errors);
    } else {
      this.#refuse(submission, 'log-unavailable', 'the order log did not acknowledge the order in time', orderId);
    }
  }

  /** Refuses an order that was admitted. */
  #refuse(submission: Submission, code: ErrorCode, detail: string, orderId?: string, errors?: FieldError[]): void {
    this.#release(submission.size);
    this.#metrics.refused(code);
    submission.refused(problem(code, detail, errors), orderId);
  }

  #release(size: number): void {
    this.admission.release(size);
    if (this.#idle !== undefined && this.admission.orders === 0) this.#idle();
  }
}

function lacksOrderId(value: unknown): value is { orderId?: string } {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !('orderId' in value);
}

function orderIdOf(value: unknown): string | undefined {
  const orderId = (value as { orderId?: unknown } | null)?.orderId;
  return typeof orderId === 'string' ? orderId : undefined;
}
