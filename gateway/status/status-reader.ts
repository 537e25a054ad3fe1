import type { Clock } from '../../contracts/clock.ts';
import { withDeadline } from '../../contracts/deadline.ts';
import { type Problem, problem } from '../../contracts/errors.ts';
import type { OrderStatus } from '../../contracts/events.ts';
import { systemTimers } from '../../contracts/timers.ts';
import type { Identity } from '../identity/identity.ts';
import { orderKey } from '../orders/order-key.ts';
import type { Reception } from '../orders/reception.ts';
import type { UndecidedLookup } from './undecided-orders.ts';
import type { UndecidedOrder } from './undecided-partition.ts';

/** An order and its history as the store knows it. */
export interface KnownOrder {
  orderId: string;
  /** Empty where the store does not know it: an order that was parked before it was decided. */
  storeId: string;
  status: OrderStatus;
  /** `at` is RFC 3339; `detail` says in words why it was rejected, declined or parked. */
  history: readonly { status: OrderStatus; at: string; detail?: string }[];
}

/**
 * Reads an order's status; rejects while the store of statuses is down.
 * @param storeId what this store may know: its own order of that id, or what became of its content where the id is another's; any order if absent
 */
export type StatusLookup = (orderId: string, storeId: string | undefined) => Promise<KnownOrder | undefined>;

/** Lookups in flight at once. With a slow database or log, further questions are refused at once instead of waiting. */
const LOOKUPS_MAX = 256;
/** For each of the places that are asked. */
const LOOKUP_TIMEOUT_MS = 3_000;
/** A read of the log goes on from where it was, and a database that restarts needs a moment. */
const RETRY_AFTER_S = 1;
/** An outage is over when no question has failed for so long. */
const RECOVERED_MS = 30_000;

/** What a question for an order's status came to. */
export interface StatusAnswer {
  found(order: KnownOrder): void;
  refuse(refusal: Problem): void;
}

export interface StatusReaderOptions {
  reception: Reception;
  /** Absent: this server knows only what it accepted itself. */
  lookup: StatusLookup | undefined;
  /** Finds what other processes accepted and the store of statuses does not know yet; absent where there is no log. */
  undecided: UndecidedLookup | undefined;
  clock: Clock;
  /** Told why statuses cannot be read; once, until they can again. */
  onOutage(error: Error): void;
  onRecovery(): void;
}

/**
 * Statuses of orders, whatever the question came by. It finds every order that was answered 202, or says that it cannot know: after the database, what this
 * process accepted itself and what the log holds undecided are asked. The way in for orders depends on none of it.
 */
export class StatusReader {
  readonly #options: StatusReaderOptions;
  #inFlight = 0;
  /** When a question was last left without an answer; undefined when that is over. */
  #failedAt: number | undefined;

  constructor(options: StatusReaderOptions) {
    this.#options = options;
  }

  /** An order of another store is answered as one that is not there. Never rejects. */
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
    this.#inFlight += 1;
    try {
      known = await this.#find(orderId, identity.store);
      this.#turn(undefined);
    } catch (error) {
      this.#turn(error as Error);
      answer.refuse(unavailable('the status of orders cannot be read at the moment'));
      return;
    } finally {
      this.#inFlight -= 1;
    }
    if (known === undefined || !mayRead(identity, known))
      answer.refuse(problem('not-found', `order ${orderId} is not known`));
    else answer.found(known);
  }

  /** An outage is told twice, at its begin and its end, and not per question. Some questions are answered during one, so it ends with the last that was not. */
  #turn(error: Error | undefined): void {
    const now = this.#options.clock.now();
    if (error !== undefined) {
      if (this.#failedAt === undefined) this.#options.onOutage(error);
      this.#failedAt = now;
    } else if (this.#failedAt !== undefined && now - this.#failedAt > RECOVERED_MS) {
      this.#failedAt = undefined;
      this.#options.onRecovery();
    }
  }

  async #find(orderId: string, storeId: string | undefined): Promise<KnownOrder | undefined> {
    const known = await this.#stored(orderId, storeId);
    if (known !== undefined && known.storeId !== '') return known;
    const accepted = this.#acceptedHere(orderId, storeId) ?? (await this.#undecided(orderId, storeId));
    if (accepted !== undefined) return known === undefined ? accepted : { ...known, storeId: accepted.storeId };
    if (this.#options.undecided === undefined) return known;
    // It may have been decided between the two looks: then it was in neither, and it is in the database now.
    return await this.#stored(orderId, storeId);
  }

  async #stored(orderId: string, storeId: string | undefined): Promise<KnownOrder | undefined> {
    const { lookup } = this.#options;
    return lookup === undefined ? undefined : await withTimeout(lookup(orderId, storeId), LOOKUP_TIMEOUT_MS);
  }

  /** What this process has accepted lately needs no other place. */
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
