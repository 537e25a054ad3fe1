// Reads and changes the menu of the agent's store in the region. Used by menu-keeper.ts and edge-menus.ts.

import type { Problem } from '../../contracts/errors.ts';
import type { Availability, ItemState } from '../../contracts/menu/availability.ts';
import type { StoreMenu } from '../../contracts/menu/store-menu.ts';
import type { FieldError } from '../../contracts/validation.ts';
import { MenuRefusal } from '../../gateway/index.ts';
import { Upstream, type UpstreamAnswer } from '../forwarder/upstream.ts';
import { checkedMenu } from './menu-file.ts';

const ANSWER_MS_MAX = 5_000;
/** Versions to come that the agent keeps beside the one in force. */
const PLANNED_MAX = 4;

export interface RegionMenusOptions {
  upstream: string;
  token(): Promise<string>;
}

export class RegionMenus {
  readonly #options: RegionMenusOptions;
  readonly #stop = new AbortController();
  readonly #region: Upstream;

  constructor(options: RegionMenusOptions) {
    this.#options = options;
    this.#region = new Upstream(options.upstream, ANSWER_MS_MAX, this.#stop.signal);
  }

  /**
   * The menu in force and those that are planned, with the tag of the first; 'unchanged' where the tag is still that of the region.
   * @throws Error when the region cannot be asked, does not know the store, or answers something else
   */
  async read(storeId: string, etag: string | undefined): Promise<{ menus: StoreMenu[]; etag: string } | 'unchanged'> {
    const first = await this.#get(storeId, '', etag);
    if (first.status === 304) return 'unchanged';
    const menus = [menuIn(first, storeId)];
    for (let until = menus[0]?.until; until !== undefined && menus.length <= PLANNED_MAX; until = menus.at(-1)?.until)
      menus.push(menuIn(await this.#get(storeId, `?at=${until}`), storeId));
    return { menus, etag: String(first.headers.etag ?? '') };
  }

  /** @throws MenuRefusal when the region refuses the change; Error when it does not answer */
  async change(storeId: string, sku: string, change: Availability): Promise<ItemState> {
    const path = `/v1/menus/${storeId}/items/${encodeURIComponent(sku)}/availability`;
    const headers = { ...(await this.#headers()), 'content-type': 'application/json' };
    const body = Buffer.from(JSON.stringify(change));
    const answer = ofGateway(await this.#region.request({ method: 'PUT', path, headers, body }));
    if (answer.status === 200) return JSON.parse(answer.body.toString()) as ItemState;
    const { detail, errors } = problemIn(answer);
    if (answer.status === 404) throw new MenuRefusal('not-found', detail);
    if (answer.status === 422) throw new MenuRefusal('invalid-menu-change', detail, errors);
    throw new Error(`the region answers ${answer.status}: ${detail}`);
  }

  close(): void {
    this.#stop.abort();
    this.#region.drop();
  }

  async #get(storeId: string, query: string, etag?: string): Promise<UpstreamAnswer> {
    const headers = { ...(await this.#headers()), ...(etag === undefined ? {} : { 'if-none-match': etag }) };
    return ofGateway(await this.#region.request({ method: 'GET', path: `/v1/menus/${storeId}${query}`, headers }));
  }

  async #headers(): Promise<Record<string, string>> {
    return { authorization: `Bearer ${await this.#options.token()}` };
  }
}

/** A proxy or a captive portal may answer for the region. */
function ofGateway(answer: UpstreamAnswer): UpstreamAnswer {
  if (typeof answer.headers['x-ordermesh-region'] !== 'string')
    throw new Error(`something else than a gateway answers with ${answer.status}`);
  return answer;
}

function menuIn(answer: UpstreamAnswer, storeId: string): StoreMenu {
  if (answer.status !== 200) throw new Error(`the region answers ${answer.status}: ${problemIn(answer).detail}`);
  return checkedMenu(JSON.parse(answer.body.toString()), storeId);
}

/** The problem of a refusal, for any answer: a proxy may have replaced its body. */
function problemIn(answer: UpstreamAnswer): { detail: string; errors?: FieldError[] } {
  try {
    const { detail = 'without a reason', errors } = JSON.parse(answer.body.toString()) as Partial<Problem>;
    return { detail, ...(errors === undefined ? {} : { errors }) };
  } catch {
    // Not JSON, so no problem document.
    return { detail: 'without a reason' };
  }
}
