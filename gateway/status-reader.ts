import type { Clock } from '../contracts/clock.ts';
import { type Problem, problem } from '../contracts/errors.ts';
import type { OrderStatus } from '../contracts/events.ts';
import type { Identity } from './identity.ts';
import { orderKey } from './order-key.ts';
import type { Reception } from './reception.ts';

/** An order and its history as the store knows it. */
export interface KnownOrder {
  orderId: string;
  /** Empty where the store does not know it: an order that was parked before it was decided. */
  storeId: string;
  status: OrderStatus;
  /** `at` is RFC 3339; `detail` says in words why it was rejected, declined or parked. */
  history: readonly { status: OrderStatus; at: string; detail?: string }[];
}

/** Reads an order's status; rejects while the store of statuses is down. */
export type StatusLookup = (orderId: string) => Promise<KnownOrder | undefined>;

/** Questions under way at once: a slow database makes the next ones fail fast instead of piling up. */
const LOOKUPS_MAX = 256;
const LOOKUP_TIMEOUT_MS = 3_000;

const ORDER_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** What a question for an order's status came to. */
export interface StatusAnswer {
  found(order: KnownOrder): void;
  refuse(refusal: Problem): void;
}

/** Statuses of orders, whatever the question came by. Reads the database; the way in for orders does not depend on it. */
export class StatusReader {
  readonly #reception: Reception;
  readonly #lookup: StatusLookup;
  readonly #clock: Clock;
  #underWay = 0;

  /** @param lookup absent: this server knows only what it accepted itself. */
  constructor(reception: Reception, lookup: StatusLookup | undefined, clock: Clock) {
    this.#reception = reception;
    this.#clock = clock;
    this.#lookup = lookup ?? (async () => undefined);
  }

  static isOrderId(text: string): boolean {
    return ORDER_ID.test(text);
  }

  /** An order of another store is answered as one that is not there. Never rejects. */
  async read(orderId: string, identity: Identity, answer: StatusAnswer): Promise<void> {
    const waitMs = identity.reads?.take(this.#clock.now()) ?? 0;
    if (waitMs > 0) {
      const refusal = problem('rate-limited', 'more questions than the rate of this store allows');
      answer.refuse({ ...refusal, retryAfterS: Math.ceil(waitMs / 1_000) });
      return;
    }
    let known: KnownOrder | undefined;
    try {
      known = await this.#find(orderId);
    } catch {
      answer.refuse(problem('status-unavailable', 'the status of orders cannot be read at the moment'));
      return;
    }
    const recent = this.#acceptedHere(orderId);
    known ??= recent;
    if (known?.storeId === '' && recent !== undefined) known = { ...known, storeId: recent.storeId };
    if (known === undefined || !mayRead(identity, known))
      answer.refuse(problem('not-found', `order ${orderId} is not known`));
    else answer.found(known);
  }

  async #find(orderId: string): Promise<KnownOrder | undefined> {
    if (this.#underWay >= LOOKUPS_MAX) throw new Error('too many status questions are under way');
    this.#underWay += 1;
    const found = this.#lookup(orderId).finally(() => {
      this.#underWay -= 1;
    });
    return await withTimeout(found, LOOKUP_TIMEOUT_MS);
  }

  /** Between the 202 and the validator's decision the store does not know the order yet. */
  #acceptedHere(orderId: string): KnownOrder | undefined {
    const recent = this.#reception.recent.get(orderKey(orderId));
    if (recent === undefined || recent.acceptedAt === 0) return undefined;
    const at = new Date(recent.acceptedAt).toISOString();
    return { orderId, storeId: recent.storeId, status: 'accepted', history: [{ status: 'accepted', at }] };
  }
}

function mayRead(identity: Identity, order: KnownOrder): boolean {
  return identity.store === undefined || identity.store === order.storeId;
}

function withTimeout<T>(promise: Promise<T>, timeoutMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
