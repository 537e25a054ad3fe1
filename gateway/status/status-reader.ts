// Answers questions for the status of an order. Created by server/build.ts; HTTP and gRPC ask it.

import type { Clock } from '../../contracts/clock.ts';
import { withDeadline } from '../../contracts/deadline.ts';
import { type Problem, problem } from '../../contracts/errors.ts';
import type { OrderStatus } from '../../contracts/events.ts';
import { systemTimers } from '../../contracts/timers.ts';
import type { Identity } from '../identity/identity.ts';
import { orderKey } from '../orders/order-key.ts';
import type { Reception } from '../orders/reception.ts';
import { type OutageListener, ToldOutage } from './told-outage.ts';
import type { UndecidedLookup } from './undecided-orders.ts';
import type { UndecidedOrder } from './undecided-partition.ts';

/** An order and its history as the store knows it. */
export interface KnownOrder {
  orderId: string;
  /** Empty where the database does not know it: an order that was parked before it was decided. */
  storeId: string;
  status: OrderStatus;
  /** `at` is RFC 3339; `detail` says in words why it was rejected, declined or parked. */
  history: readonly { status: OrderStatus; at: string; detail?: string }[];
}

/**
 * Reads an order's status from the database; rejects while the database is down.
 * @param storeId who asks: a store gets the status of its own order, or, when the orderId belongs to another store, the outcome of its own content.
 *   Absent: any order
 */
export type StatusLookup = (orderId: string, storeId: string | undefined) => Promise<KnownOrder | undefined>;

/** Lookups in flight at once. With a slow database or log, further questions are refused at once instead of waiting. */
const LOOKUPS_MAX = 256;
/** Time limit of each lookup. */
const LOOKUP_TIMEOUT_MS = 3_000;
/** Retry-After of a question that could not be answered: the next read of the log continues where this one stopped, and a database may restart. */
const RETRY_AFTER_S = 1;

/** Receives the answer to a status question, from HTTP or gRPC. */
export interface StatusAnswer {
  found(order: KnownOrder): void;
  refuse(refusal: Problem): void;
}

export interface StatusReaderOptions extends OutageListener {
  reception: Reception;
  /** Absent: this server knows only the orders that it accepted itself. */
  lookup: StatusLookup | undefined;
  /** Finds orders that any process accepted and the database does not know yet; absent where there is no log. */
  undecided: UndecidedLookup | undefined;
  clock: Clock;
}

/**
 * Answers questions for the status of orders, for every transport. It finds every order that was answered 202, or answers 503: it looks in the database,
 * then among the orders that this process accepted lately, then among the undecided orders of the log. Accepting orders does not depend on any of this.
 */
export class StatusReader {
  readonly #options: StatusReaderOptions;
  #inFlight = 0;
  readonly #outage: ToldOutage;

  constructor(options: StatusReaderOptions) {
    this.#options = options;
    this.#outage = new ToldOutage(options.clock, options);
  }

  /** An order of another store is answered like an unknown order. Never rejects. */
  async read(orderId: string, identity: Identity, answer: StatusAnswer): Promise<void> {
    const waitMs = identity.reads?.take(this.#options.clock.now()) ?? 0;
    if (waitMs > 0) {
      const refusal = problem('rate-limited', 'more questions than the rate of this store allows');
      answer.refuse({ ...refusal, retryAfterS: Math.ceil(waitMs / 1_000) });
      return;
    }
    if (this.#inFlight >= LOOKUPS_MAX) {
      answer.refuse(unavailable('too many status questions are in flight'));
      return;
    }
    let known: KnownOrder | undefined;
    this.#inFlight++;
    try {
      known = await this.#find(orderId, identity.store);
      this.#outage.answered();
    } catch (error) {
      this.#outage.failed(error as Error);
      answer.refuse(unavailable('the status of orders cannot be read at the moment'));
      return;
    } finally {
      this.#inFlight--;
    }
    if (known === undefined || !mayRead(identity, known))
      answer.refuse(problem('not-found', `order ${orderId} is not known`));
    else answer.found(known);
  }

  async #find(orderId: string, storeId: string | undefined): Promise<KnownOrder | undefined> {
    const known = await this.#stored(orderId, storeId);
    if (known !== undefined && known.storeId !== '') return known;
    const accepted = this.#acceptedHere(orderId, storeId) ?? (await this.#undecided(orderId, storeId));
    if (accepted !== undefined) return known === undefined ? accepted : { ...known, storeId: accepted.storeId };
    if (this.#options.undecided === undefined) return known;
    // The order may have been decided between the two lookups. Then both missed it, and the database has it now.
    return await this.#stored(orderId, storeId);
  }

  async #stored(orderId: string, storeId: string | undefined): Promise<KnownOrder | undefined> {
    const { lookup } = this.#options;
    return lookup === undefined ? undefined : await withTimeout(lookup(orderId, storeId), LOOKUP_TIMEOUT_MS);
  }

  /** An order that this process has accepted lately needs no further lookup. */
  #acceptedHere(orderId: string, storeId: string | undefined): KnownOrder | undefined {
    const recent = this.#options.reception.recent.get(orderKey(orderId));
    if (recent === undefined || recent.acceptedAt === 0) return undefined;
    if (storeId !== undefined && recent.storeId !== storeId) return undefined;
    return acceptedOrder(orderId, recent);
  }

  async #undecided(orderId: string, storeId: string | undefined): Promise<KnownOrder | undefined> {
    const { undecided } = this.#options;
    if (undecided === undefined) return undefined;
    const order = await withTimeout(undecided(orderId, storeId), LOOKUP_TIMEOUT_MS);
    return order === undefined ? undefined : acceptedOrder(orderId, order);
  }
}

function acceptedOrder(orderId: string, { storeId, acceptedAt }: UndecidedOrder): KnownOrder {
  const at = new Date(acceptedAt).toISOString();
  return { orderId, storeId, status: 'accepted', history: [{ status: 'accepted', at }] };
}

function unavailable(detail: string): Problem {
  return { ...problem('status-unavailable', detail), retryAfterS: RETRY_AFTER_S };
}

function mayRead(identity: Identity, order: KnownOrder): boolean {
  return identity.store === undefined || identity.store === order.storeId;
}

function withTimeout<T>(answer: Promise<T>, timeoutMs: number): Promise<T> {
  return withDeadline(systemTimers, timeoutMs, answer, () => new Error(`no answer within ${timeoutMs} ms`));
}
