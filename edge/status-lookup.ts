import type { KnownOrder, StatusLookup } from '../gateway/status-reader.ts';
import { Upstream } from './forwarder/upstream.ts';
import type { SpoolClient } from './spool/client.ts';

/** A point of sale waits for the answer; the spool's own is good enough when the region is slow. */
const ANSWER_MS_MAX = 2_000;

export interface RegionStatusOptions {
  upstream: string;
  token(): Promise<string>;
  isLineUp(): boolean;
}

/** The region's word on an order: `undefined` while it has none, or cannot be asked. Never rejects. */
export type RegionStatus = (orderId: string) => Promise<KnownOrder | undefined>;

export function regionStatus({ upstream, token, isLineUp }: RegionStatusOptions): RegionStatus {
  const region = new Upstream(upstream, ANSWER_MS_MAX, new AbortController().signal);
  return async (orderId) => {
    if (!isLineUp()) return undefined;
    try {
      const headers = { authorization: `Bearer ${await token()}` };
      const { status, body } = await region.request({ method: 'GET', path: `/v1/orders/${orderId}`, headers });
      return status === 200 ? (JSON.parse(body.toString()) as KnownOrder) : undefined;
    } catch {
      // The spool's own word does then; the forwarder says how the line is.
      return undefined;
    }
  };
}

export interface StatusLookupOptions {
  spool: Pick<SpoolClient, 'find'>;
  ofRegion: RegionStatus;
}

/**
 * The status of an order for those who ask the agent: the region's own word while the line is up, and what the spool knows otherwise. An
 * order of another restaurant is asked of the region, which answers only for the store of the token.
 */
export function statusLookup({ spool, ofRegion }: StatusLookupOptions): StatusLookup {
  return async (orderId) => {
    const spooled = await spool.find(orderId);
    if (spooled === undefined || spooled.state === 'confirmed') {
      const known = await ofRegion(orderId);
      if (known !== undefined || spooled === undefined) return known;
    }
    const { storeId, state, acceptedAt, problem } = spooled;
    const accepted = { status: 'accepted' as const, at: new Date(acceptedAt).toISOString() };
    if (state !== 'refused') return { orderId, storeId, status: 'accepted', history: [accepted] };
    const rejected = { status: 'rejected' as const, at: accepted.at, detail: problem ?? 'refused by the region' };
    return { orderId, storeId, status: 'rejected', history: [accepted, rejected] };
  };
}
