// Finds the status of an order in the region or in the spool. Created by edge.ts, for points of sale and for the kitchen.

import type { OrderStatus } from '../contracts/events.ts';
import type { KnownOrder, StatusLookup } from '../gateway/index.ts';
import type { Logger } from '../telemetry/logger.ts';
import { StateLog } from '../telemetry/state-log.ts';
import { problemOf } from './forwarder/batch-answer.ts';
import { Upstream } from './forwarder/upstream.ts';
import type { SpoolClient } from './spool/client.ts';

/** A point of sale waits for the answer; the status in the spool is good enough when the region is slow. */
const ANSWER_MS_MAX = 2_000;

export interface RegionStatusOptions {
  upstream: string;
  token(): Promise<string>;
  isLineUp(): boolean;
}

/** The region's status of an order: null when the region does not know the order, `undefined` while the region cannot be asked. Never rejects. */
export type RegionStatus = (orderId: string) => Promise<KnownOrder | null | undefined>;

/** Asks the region for the status of an order, with the token of the store. */
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
      // The forwarder uses the same line and logs that the line is down; the caller is told that the region cannot be asked.
      return undefined;
    }
  };
}

/** @throws SyntaxError when the body is not JSON */
function knownOrderOf(body: Buffer, orderId: string): KnownOrder | undefined {
  const order = JSON.parse(body.toString()) as Partial<KnownOrder> | null;
  const isOrder =
    order?.orderId === orderId &&
    typeof order.storeId === 'string' &&
    typeof order.status === 'string' &&
    Array.isArray(order.history);
  return isOrder ? (order as KnownOrder) : undefined;
}

export interface StatusLookupOptions {
  spool: Pick<SpoolClient, 'find'>;
  ofRegion: RegionStatus;
}

/**
 * The status of an order for a point of sale: the region's status while the line is up, the spool's otherwise. The region is also asked for an order
 * of another restaurant, and answers only for the store of the token. When the spool does not hold the order and the region cannot be asked, the order
 * is not called unknown: the lookup rejects.
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

export interface KitchenStatusOptions extends StatusLookupOptions {
  logger: Logger;
}

/**
 * The status of an order for the kitchen; `undefined` while the status is not known. Never rejects. The region does not know an order that it has
 * refused, so the spool is read first. While the spool cannot be read the region is not asked: after a conflict the region knows another order under
 * this id.
 */
export function kitchenStatus(options: KitchenStatusOptions): (orderId: string) => Promise<OrderStatus | undefined> {
  const { spool, ofRegion } = options;
  const states = new StateLog(options.logger);
  return async (orderId) => {
    try {
      const spooled = await spool.find(orderId);
      states.end('unread', 'the kitchen can read the spool again');
      if (spooled?.state === 'refused') return 'rejected';
    } catch (error) {
      const { message: reason } = error as Error;
      states.begin('unread', 'the kitchen cannot read the spool; trying again', { orderId, reason });
      return undefined;
    }
    return (await ofRegion(orderId))?.status;
  };
}
