// Pushes status updates to WebSocket connections. Created by gateway.ts.

import type { KafkaCluster } from '../../contracts/config/kafka-cluster.ts';
import type { ConflictReason, OrderStatus } from '../../contracts/events.ts';
import { type StatusEvent, statusAfter } from '../../contracts/order/order-states.ts';
import { topics } from '../../contracts/topics.ts';
import type { ReadRecord } from '../../kafka/index.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Stream } from '../websocket/stream.ts';
import { ToldStatuses } from './told-statuses.ts';
import { createTopicFeed, type OpenTails, parsedValue, type TopicFeed } from './topic-feed.ts';

/** The feed of statuses: `opened` for each new stream. Best effort; a client that must know the status asks `GET /v1/orders/<id>`. */
export type StatusFeed = TopicFeed;

export interface StatusFeedOptions {
  cluster: KafkaCluster;
  streams: ReadonlySet<Stream>;
  logger: Logger;
  /** Opens the readers; a test gives a function that can fail. */
  open?: OpenTails;
}

/** Pushes the status of orders from the topics to the open streams of their store, and never an outdated status. */
export function createStatusFeed({ cluster, streams, logger, open }: StatusFeedOptions): StatusFeed {
  const told = new ToldStatuses();
  return createTopicFeed({
    what: 'status updates',
    topics: [topics.validatedOrders, topics.rejectedOrders],
    cluster,
    streams,
    logger,
    open,
    // The feed did not see the events that came while it was stopped.
    started: () => told.forget(),
    newsOf(record) {
      const news = newsOf(record);
      if (news === undefined || (news.event !== undefined && !told.isNews(news.message.orderId, news.event)))
        return undefined;
      return news;
    },
  });
}

/** The status message for a store. `conflicting` is about a later content with the same orderId; the first order goes on unchanged. */
interface StatusMessage {
  type: 'order.status';
  orderId: string;
  status: OrderStatus;
  /** RFC 3339: when the status began. */
  at?: string;
  detail?: string;
}

interface News {
  storeId: string;
  message: StatusMessage;
  /** The event that changes the order's own status; absent for an event that does not change it. */
  event?: StatusEvent;
}

/** Undefined for an event that changes no status, and for a value that is not an event of this system: such a record must not end the feed. */
function newsOf({ key, value, headers }: ReadRecord): News | undefined {
  const type = String(headers.ce_type);
  const status = type === 'order.conflicting' ? 'conflicting' : statusAfter(type);
  if (status === undefined) return undefined;
  const event = parsedValue(value);
  if (typeof event?.storeId !== 'string') return undefined;
  const { storeId, occurredAt, reasons, round } = event;
  const message: StatusMessage = { type: 'order.status', orderId: String(key), status };
  if (typeof occurredAt === 'string') message.at = occurredAt;
  if (status !== 'conflicting') return { storeId, message, event: { type, round: isRound(round) ? round : 1 } };
  if (Array.isArray(reasons)) message.detail = detailOf(reasons);
  return { storeId, message };
}

function isRound(round: unknown): round is number {
  return Number.isSafeInteger(round) && Number(round) >= 1;
}

function detailOf(reasons: readonly Partial<ConflictReason>[]): string {
  return reasons.map(({ detail }) => detail).join('; ');
}
