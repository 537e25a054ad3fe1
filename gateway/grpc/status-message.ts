// Turns the status of an order into its gRPC message. Used by the handlers.

import type { OrderStatus } from '../../contracts/events.ts';
import type { KnownOrder } from '../status/status-reader.ts';
import { enumWords } from './definition.ts';

const words = enumWords('ordermesh.v1.OrderStatus', 'ORDER_STATUS_');

/** The number of a status in the proto's enum. */
export function statusNumber(status: OrderStatus): number {
  const number = words.indexOf(status);
  if (number === -1) throw new RangeError(`the proto has no status ${status}`);
  return number;
}

export interface OrderStatusMessage {
  orderId: string;
  storeId: string;
  status: number;
  history: { status: number; at: { seconds: number; nanos: number }; detail?: string }[];
}

export function orderStatusMessage({ orderId, storeId, status, history }: KnownOrder): OrderStatusMessage {
  return {
    orderId,
    storeId,
    status: statusNumber(status),
    history: history.map((change) => ({
      status: statusNumber(change.status),
      at: timestamp(Date.parse(change.at)),
      ...(change.detail === undefined ? {} : { detail: change.detail }),
    })),
  };
}

/** @param timeMs milliseconds since 1970 */
function timestamp(timeMs: number): { seconds: number; nanos: number } {
  const seconds = Math.floor(timeMs / 1_000);
  return { seconds, nanos: (timeMs - seconds * 1_000) * 1_000_000 };
}
