import type { KnownOrder, StatusLookup } from '../gateway/status-reader.ts';
import { problemOf } from './forwarder/batch-answer.ts';
import { Upstream } from './forwarder/upstream.ts';
import type { SpoolClient } from './spool/client.ts';

/** A point of sale waits for the answer; the spool's own is good enough when the region is slow. */
const ANSWER_MS_MAX = 2_000;

export interface RegionStatusOptions {
  upstream: string;
  token(): Promise<string>;
  isLineUp(): boolean;
}

/** The region's word on an order: null where it knows none, `undefined` while it cannot be asked. Never rejects. */
export type RegionStatus = (orderId: string) => Promise<KnownOrder | null | undefined>;

export function regionStatus({ upstream, token, isLineUp }: RegionStatusOptions): RegionStatus {
  const region = new Upstream(upstream, ANSWER_MS_MAX, new AbortController().signal);
  return async (orderId) => {
    if (!isLineUp()) return undefined;
    try {
      const headers = { authorization: `Bearer ${await token()}` };
      const answer = await region.request({ method: 'GET', path: `/v1/orders/${orderId}`, headers });
      // A proxy or a captive portal may answer for the region, and its 404 says nothing about an order.
      if (typeof answer.headers['x-ordermesh-region'] !== 'string') return undefined;
      if (answer.status === 404) return problemOf(answer.body) === undefined ? undefined : null;
      return answer.status === 200 ? knownOrderOf(answer.body, orderId) : undefined;
    } catch {
      // The forwarder meets the same line and says that it is down; whoever asks is told that the region cannot be asked.
      return undefined;
    }
  };
}

/** @throws SyntaxError for what is no JSON */
function knownOrderOf(body: Buffer, orderId: string): KnownOrder | undefined {
  const order = JSON.parse(body.toString()) as Partial<KnownOrder> | null;
  const isOne =
    order?.orderId === orderId &&
    typeof order.storeId === 'string' &&
    typeof order.status === 'string' &&
    Array.isArray(order.history);
  return isOne ? (order as KnownOrder) : undefined;
}

export interface StatusLookupOptions {
  spool: Pick<SpoolClient, 'find'>;
  ofRegion: RegionStatus;
}

/**
 * The status of an order for those who ask the agent: the region's own word while the line is up, and what the spool knows otherwise. An
 * order of another restaurant is asked of the region, which answers only for the store of the token. An order that has left the spool, and that the
 * region cannot be asked for, is not called unknown: the lookup rejects.
 */
export function statusLookup({ spool, ofRegion }: StatusLookupOptions): StatusLookup {
  return async (orderId) => {
    const spooled = await spool.find(orderId);
    if (spooled === undefined || spooled.state === 'confirmed') {
      const known = await ofRegion(orderId);
      if (spooled === undefined && known === undefined)
        throw new Error('the spool does not hold the order, and the region cannot be asked');
      if (known || spooled === undefined) return known ?? undefined;
    }
    const { storeId, state, acceptedAt, problem } = spooled;
    const accepted = { status: 'accepted' as const, at: new Date(acceptedAt).toISOString() };
    if (state !== 'refused') return { orderId, storeId, status: 'accepted', history: [accepted] };
    const rejected = { status: 'rejected' as const, at: accepted.at, detail: problem ?? 'refused by the region' };
    return { orderId, storeId, status: 'rejected', history: [accepted, rejected] };
  };
}
