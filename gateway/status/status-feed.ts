// Pushes status updates to WebSocket connections. Created by gateway.ts.

import type { KafkaCluster } from '../../contracts/config/kafka-cluster.ts';
import type { ConflictReason, OrderStatus } from '../../contracts/events.ts';
import { type StatusEvent, statusAfter } from '../../contracts/order/order-states.ts';
import { topics } from '../../contracts/topics.ts';
import { type ReadRecord, type Tail, type TailOptions, tailTopic } from '../../kafka/index.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { StateLog } from '../../telemetry/state-log.ts';
import type { Stream } from '../websocket/stream.ts';
import { ToldStatuses } from './told-statuses.ts';

const followed = [topics.validatedOrders, topics.rejectedOrders];

const RETRY_MS = 2_000;

export interface StatusFeed {
  /** A stream opened: it gets the statuses from now on. */
  opened(): void;
  close(): Promise<void>;
}

export interface StatusFeedOptions {
  cluster: KafkaCluster;
  streams: ReadonlySet<Stream>;
  logger: Logger;
  /** Opens the readers; a test gives a function that can fail. */
  open?: typeof follow;
}

/**
 * Pushes the status of orders from the topics to the open streams of their store, and never an outdated status. Best effort: it reads only while a
 * stream is open, and starts at the end of the topics. A client that must know the status asks `GET /v1/orders/<id>`.
 */
export function createStatusFeed({ cluster, streams, logger, open = follow }: StatusFeedOptions): StatusFeed {
  let tails: Promise<Tail[]> | undefined;
  let retry: NodeJS.Timeout | undefined;
  let closed = false;
  const states = new StateLog(logger);
  const told = new ToldStatuses();

  function start(): void {
    retry = undefined;
    if (tails !== undefined || closed || streams.size === 0) return;
    // The feed did not see the events that came while it was stopped.
    told.forget();
    const following = open(
      cluster,
      (record) => {
        // Records that still come from stopped readers are pushed by the readers that replaced them.
        if (tails !== following) return;
        if (streams.size === 0) void stop();
        else push(record);
      },
      (trouble) => {
        if (tails === following) tell(trouble);
      },
    );
    tails = following;
    following.then(
      () => tell(undefined),
      (error: Error) => {
        // The feed was stopped meanwhile and may have started again; newer readers must not be cleared.
        if (tails !== following) return;
        tails = undefined;
        tell(error);
        if (!closed) retry = setTimeout(start, RETRY_MS).unref();
      },
    );
  }

  function tell(trouble: Error | undefined): void {
    if (trouble === undefined) states.end('feed', 'status updates are pushed again');
    else states.begin('feed', 'status updates are not pushed; trying again', { err: trouble });
  }

  async function stop(): Promise<void> {
    const running = tails;
    tails = undefined;
    // `start` has reported readers that failed to open, and they leave nothing to close.
    const open = (await running?.catch(() => [])) ?? [];
    for (const closed of await Promise.allSettled(open.map((tail) => tail.close())))
      if (closed.status === 'rejected') logger.warn({ err: closed.reason }, 'a reader of status updates did not close');
  }

  function push(record: ReadRecord): void {
    const news = newsOf(record);
    if (news === undefined) return;
    const { storeId, message, event } = news;
    if (event !== undefined && !told.isNews(message.orderId, event)) return;
    for (const stream of streams)
      if (stream.identity.store === undefined || stream.identity.store === storeId) stream.push(message);
  }

  return {
    opened() {
      if (retry === undefined) start();
    },
    async close() {
      closed = true;
      clearTimeout(retry);
      await stop();
    },
  };
}

/** Opens both topics or neither: when one fails, the other is closed. */
async function follow(
  cluster: KafkaCluster,
  onRecord: (record: ReadRecord) => void,
  onTrouble: TailOptions['onTrouble'],
): Promise<Tail[]> {
  const options = { clientId: 'ordermesh-gateway-feed', cluster, from: 'latest' as const, onTrouble };
  const opening = await Promise.allSettled(followed.map((topic) => tailTopic({ ...options, topic }, onRecord)));
  const open = opening.flatMap((tail) => (tail.status === 'fulfilled' ? [tail.value] : []));
  const failure = opening.find((tail) => tail.status === 'rejected');
  if (failure === undefined) return open;
  await Promise.all(open.map((tail) => tail.close()));
  throw failure.reason;
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
  const event = parsed(value);
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

function parsed(value: Buffer | null): Record<string, unknown> | undefined {
  try {
    return JSON.parse(String(value)) ?? undefined;
  } catch {
    // Not an event of this system. The role that processes the topic parks and reports the record.
    return undefined;
  }
}
