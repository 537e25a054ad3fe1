import { type Clock, stopwatch } from '../../contracts/clock.ts';
import { type ErrorCode, type Problem, problem } from '../../contracts/errors.ts';
import { type Order, orderSchema } from '../../contracts/order/order.ts';
import { compileValidator } from '../../contracts/validation.ts';
import type { Identity } from '../identity/identity.ts';
import type { GatewayMetrics } from '../metrics.ts';
import type { Admission } from './admission.ts';
import { type Intake, IntakeRefusal } from './intake.ts';
import { orderKey } from './order-key.ts';
import type { BegunOrder, RecentOrder, RecentOrders } from './recent-orders.ts';
import { decodeJson, newOrderId, withOrderId } from './scanner/order-bytes.ts';
import { contentHash, type OrderContent, scanOrder } from './scanner/order-content.ts';

/** Who handed over an order and is told what became of it: exactly one of the two, exactly once. */
export interface Submitter {
  accepted(orderId: string): void;
  /** `orderId` where the order was readable enough to have one. */
  refused(problem: Problem, orderId?: string): void;
}

/** A repeat of an order on its way, with the bytes it holds in the admission. */
export interface Waiter {
  submitter: Submitter;
  bytes: number;
}

export interface ReceptionOptions {
  /** Why this region takes no orders just now; `undefined` where it does. */
  passive?: (() => string | undefined) | undefined;
  intake: Intake;
  admission: Admission;
  recent: RecentOrders<Waiter>;
  metrics: GatewayMetrics;
  clock: Clock;
}

const validateOrder = compileValidator(orderSchema);

/** About the time to live of the name that a failover moves: by then a client finds the active region. */
const PASSIVE_RETRY_S = 5;

/**
 * The one way in for an order, whatever it came by (HTTP, batch, WebSocket): admission, decoding, schema, store, idempotency,
 * then the intake. Synchronous up to the intake, without a promise per order.
 */
export class Reception {
  /** Set on shutdown: new orders are refused, those under way are answered. */
  draining = false;
  readonly admission: Admission;
  readonly recent: RecentOrders<Waiter>;
  readonly #intake: Intake;
  readonly #metrics: GatewayMetrics;
  readonly clock: Clock;
  readonly #passive: (() => string | undefined) | undefined;
  #idle: (() => void) | undefined;

  constructor({ intake, admission, recent, metrics, clock, passive }: ReceptionOptions) {
    this.#passive = passive;
    this.#intake = intake;
    this.admission = admission;
    this.recent = recent;
    this.#metrics = metrics;
    this.clock = clock;
  }

  /** An order as JSON bytes, which this call takes over: nobody may change them afterwards. */
  submit(bytes: Buffer, identity: Identity, traceparent: string, submitter: Submitter, requestId = ''): void {
    if (!this.#admit(bytes.length, identity, submitter)) return;
    const scanned = scanOrder(bytes, identity.store);
    if (scanned !== undefined) {
      this.#take(scanned, undefined, bytes, bytes.length, identity, traceparent, submitter, requestId);
      return;
    }
    const decoded = decodeJson(bytes);
    if (decoded.ok) this.#check(decoded.value, bytes, bytes.length, identity, traceparent, submitter, requestId);
    else this.#refuse(bytes.length, submitter, 'malformed-body', decoded.detail);
  }

  /** An order that came as part of a frame: it is logged as JSON. `size` is what it took on its way in, in bytes. */
  submitDecoded(
    value: unknown,
    size: number,
    identity: Identity,
    traceparent: string,
    submitter: Submitter,
    requestId = '',
  ): void {
    if (this.#admit(size, identity, submitter))
      this.#check(value, undefined, size, identity, traceparent, submitter, requestId);
  }

  /** Why this region takes no orders just now; `undefined` where it does. */
  get passive(): string | undefined {
    return this.#passive?.();
  }

  /** Resolves when nothing is under way. */
  async drained(): Promise<void> {
    if (this.admission.orders === 0) return;
    await new Promise<void>((resolve) => {
      this.#idle = resolve;
    });
  }

  #admit(size: number, identity: Identity, submitter: Submitter): boolean {
    if (this.draining) {
      this.#turnAway(submitter, 'draining', 'this instance is shutting down');
      return false;
    }
    const passive = this.#passive?.();
    if (passive !== undefined) {
      this.#turnAway(submitter, 'region-passive', passive, PASSIVE_RETRY_S);
      return false;
    }
    if (identity.limit !== undefined) {
      const waitMs = identity.limit.take(this.clock.now());
      if (waitMs > 0) {
        const detail = 'more orders than the rate of this store or device allows';
        this.#turnAway(submitter, 'rate-limited', detail, Math.ceil(waitMs / 1_000));
        return false;
      }
    }
    if (this.admission.admit(size)) return true;
    const detail = this.admission.isSlow
      ? 'orders are not answered fast enough for more of them to be taken'
      : 'too many orders are under way in this instance';
    this.#turnAway(submitter, 'overloaded', detail, this.admission.retryAfterS());
    return false;
  }

  /** Refuses what was not admitted. */
  #turnAway(submitter: Submitter, code: ErrorCode, detail: string, retryAfterS?: number): void {
    this.#metrics.refused(code);
    const refusal = problem(code, detail);
    if (retryAfterS !== undefined) refusal.retryAfterS = retryAfterS;
    submitter.refused(refusal);
  }

  #check(
    value: unknown,
    bytes: Buffer | undefined,
    size: number,
    identity: Identity,
    traceparent: string,
    submitter: Submitter,
    requestId: string,
  ): void {
    const anonymous = lacksOrderId(value);
    if (anonymous) value.orderId = newOrderId();
    const validated = validateOrder(value);
    if (!validated.ok) {
      const refusal = problem('invalid-order', 'the order does not match the schema', validated.errors);
      this.#release(size);
      this.#metrics.refused('invalid-order');
      submitter.refused(refusal, anonymous ? undefined : orderIdOf(value));
      return;
    }
    const order = validated.value;
    const body =
      bytes === undefined ? Buffer.from(JSON.stringify(order)) : anonymous ? withOrderId(bytes, order.orderId) : bytes;
    const content = { key: orderKey(order.orderId), storeId: order.storeId, content: contentHash(order) };
    this.#take(content, order, body, size, identity, traceparent, submitter, requestId);
  }

  #take(
    { key, storeId: ofStore, content }: OrderContent,
    order: Order | undefined,
    value: Buffer,
    size: number,
    identity: Identity,
    traceparent: string,
    submitter: Submitter,
    requestId: string,
  ): void {
    const { orderId } = key;
    if (identity.store !== undefined && identity.store !== ofStore) {
      const detail = `the token is for store ${identity.store}, the order for ${ofStore}`;
      this.#refuse(size, submitter, 'forbidden', detail, orderId);
      return;
    }
    // The token's own text of the store where there is one: every order looks it up, and its hash is known.
    const storeId = identity.store ?? ofStore;
    const earlier = this.recent.get(key);
    if (earlier !== undefined) {
      this.#repeat(earlier, content, orderId, size, submitter);
      return;
    }
    const recent = this.recent.begin(key, storeId, content);
    const startedAt = stopwatch.now();
    this.#intake.accept({ orderId, storeId, value, order, traceparent, requestId }, (error) => {
      this.#metrics.answered(error === null, stopwatch.now() - startedAt);
      this.#settle(recent, size, submitter, error);
    });
  }

  /** The same content is the same order, on its way or accepted already; other content is a conflict. */
  #repeat(earlier: RecentOrder<Waiter>, content: number, orderId: string, size: number, submitter: Submitter): void {
    if (earlier.content !== content) {
      this.#refuse(size, submitter, 'order-conflict', `order ${orderId} was sent before with other content`, orderId);
    } else if (earlier.acceptedAt === 0) {
      earlier.waiters ??= [];
      earlier.waiters.push({ submitter, bytes: size });
    } else {
      this.#release(size);
      submitter.accepted(orderId);
    }
  }

  #settle(order: BegunOrder<Waiter>, size: number, submitter: Submitter, error: Error | null): void {
    if (error === null) this.recent.accepted(order);
    else this.recent.failed(order);
    const { waiters } = order;
    const { orderId } = order.key;
    this.#answer(orderId, size, submitter, error);
    if (waiters === undefined) return;
    for (const waiter of waiters) this.#answer(orderId, waiter.bytes, waiter.submitter, error);
  }

  #answer(orderId: string, size: number, submitter: Submitter, error: Error | null): void {
    if (error === null) {
      this.#release(size);
      submitter.accepted(orderId);
    } else if (error instanceof IntakeRefusal) {
      this.#refuse(size, submitter, error.code, error.message, orderId);
    } else {
      this.#refuse(size, submitter, 'log-unavailable', 'the order log did not acknowledge the order in time', orderId);
    }
  }

  #refuse(size: number, submitter: Submitter, code: ErrorCode, detail: string, orderId?: string): void {
    this.#release(size);
    this.#metrics.refused(code);
    submitter.refused(problem(code, detail), orderId);
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
