// Answers questions for menus and takes changes of what a store can sell. Created by server/build.ts; the HTTP routes ask it.

import { hash } from 'node:crypto';
import type { Clock } from '../../contracts/clock.ts';
import { type Problem, problem } from '../../contracts/errors.ts';
import { validateAvailability } from '../../contracts/menu/availability.ts';
import type { Identity } from '../identity/identity.ts';
import { decodeJson } from '../orders/scanner/order-bytes.ts';
import { type OutageListener, ToldOutage } from '../status/told-outage.ts';
import { MenuRefusal, type MenuSource } from './menu-source.ts';

/** In flight at once. With a slow database, further requests are refused at once instead of waiting. */
const IN_FLIGHT_MAX = 64;
const RETRY_AFTER_S = 1;

export interface MenuAnswer {
  found(body: string, etag: string): void;
  refuse(refusal: Problem): void;
}

export interface MenuDeskOptions extends OutageListener {
  source: MenuSource | undefined;
  clock: Clock;
  /** Why this server changes nothing now; `undefined` while it does. */
  standsBy(): Problem | undefined;
}

export class MenuDesk {
  readonly #options: MenuDeskOptions;
  #inFlight = 0;
  readonly #outage: ToldOutage;

  constructor(options: MenuDeskOptions) {
    this.#options = options;
    this.#outage = new ToldOutage(options.clock, options);
  }

  /** Never rejects. */
  async read(storeId: string, at: Date | undefined, identity: Identity, answer: MenuAnswer): Promise<void> {
    await this.#serve(storeId, identity, answer, async (source) => {
      const menu = await source.read(storeId, at);
      if (menu === undefined) throw new MenuRefusal('not-found', `store ${storeId} is on no menu`);
      return menu;
    });
  }

  /** Never rejects. */
  async change(storeId: string, sku: string, body: Buffer, identity: Identity, answer: MenuAnswer): Promise<void> {
    const standsBy = this.#options.standsBy();
    if (standsBy !== undefined) {
      answer.refuse(standsBy);
      return;
    }
    await this.#serve(storeId, identity, answer, async (source) => {
      const decoded = decodeJson(body);
      if (!decoded.ok) throw new MenuRefusal('malformed-body', decoded.detail);
      const checked = validateAvailability(decoded.value);
      if (!checked.ok)
        throw new MenuRefusal('invalid-menu-change', 'the change does not match the schema', checked.errors);
      return source.change(storeId, sku, checked.value);
    });
  }

  async #serve(
    storeId: string,
    identity: Identity,
    answer: MenuAnswer,
    work: (source: MenuSource) => Promise<object>,
  ): Promise<void> {
    const { source } = this.#options;
    const refusal = this.#refusal(storeId, identity);
    if (refusal !== undefined || source === undefined) {
      answer.refuse(refusal ?? unavailable('this server has no menus'));
      return;
    }
    this.#inFlight++;
    try {
      const body = JSON.stringify(await work(source));
      this.#outage.answered();
      answer.found(body, `"${hash('sha256', body, 'base64url').slice(0, 22)}"`);
    } catch (error) {
      if (error instanceof MenuRefusal) answer.refuse(problem(error.code, error.message, error.errors));
      else {
        this.#outage.failed(error as Error);
        answer.refuse(
          unavailable('menus cannot be read or changed at the moment; a change may be stored: send it again'),
        );
      }
    } finally {
      this.#inFlight--;
    }
  }

  #refusal(storeId: string, identity: Identity): Problem | undefined {
    if (identity.store !== undefined && identity.store !== storeId)
      return problem('forbidden', `the token is for store ${identity.store}, the menu of ${storeId}`);
    const waitMs = identity.reads?.take(this.#options.clock.now()) ?? 0;
    if (waitMs > 0) {
      const refusal = problem('rate-limited', 'more questions than the rate of this store allows');
      return { ...refusal, retryAfterS: Math.ceil(waitMs / 1_000) };
    }
    return this.#inFlight < IN_FLIGHT_MAX ? undefined : unavailable('too many requests for menus are in flight');
  }
}

function unavailable(detail: string): Problem {
  return { ...problem('menu-unavailable', detail), retryAfterS: RETRY_AFTER_S };
}
