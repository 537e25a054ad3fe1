import type { ConflictReason, OrderStatus } from '../contracts/events.ts';
import { statusAfter } from '../contracts/order-states.ts';
import { topics } from '../contracts/topics.ts';
import { type ReadRecord, type Tail, tailTopic } from '../kafka/index.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Stream } from './stream.ts';

const followed = [topics.validatedOrders, topics.rejectedOrders];

const RETRY_MS = 2_000;

export interface StatusFeed {
  /** A stream opened: it gets what happens from now on. */
  opened(): void;
  close(): Promise<void>;
}

export interface StatusFeedOptions {
  brokers: string[];
  streams: ReadonlySet<Stream>;
  logger: Logger;
}

/**
 * Pushes the status of orders to the open streams of their store, as the topics tell it. A convenience beside the way in: it reads
 * only while somebody listens, starts at the end of the topics, and a client that must know asks `GET /v1/orders/<id>`.
 */
export function createStatusFeed({ brokers, streams, logger }: StatusFeedOptions): StatusFeed {
  let tails: Promise<Tail[]> | undefined;
  let retry: NodeJS.Timeout | undefined;
  let closed = false;

  function start(): void {
    retry = undefined;
    if (tails !== undefined || closed || streams.size === 0) return;
    tails = follow(brokers, (record) => {
      if (streams.size === 0) stop();
      else push(record);
    });
    tails.catch((error: Error) => {
      tails = undefined;
      logger.warn({ err: error }, 'status updates are not pushed; trying again');
      if (!closed) retry = setTimeout(start, RETRY_MS).unref();
    });
  }

  function stop(): Promise<unknown> {
    const running = tails;
    tails = undefined;
    return running === undefined
      ? Promise.resolve()
      : running.then(
          (open) => Promise.all(open.map((tail) => tail.close())),
          () => {},
        );
  }

  function push(record: ReadRecord): void {
    const status = statusAfter[String(record.headers.ce_type) as EventType];
    const storeId = status === undefined ? undefined : storeOf(record);
    if (storeId === undefined) return;
    const message = { type: 'order.status', orderId: String(record.key), status };
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

/** Both topics or none: a tail that is open when the other fails is closed again. */
async function follow(brokers: string[], onRecord: (record: ReadRecord) => void): Promise<Tail[]> {
  const options = { clientId: 'ordermesh-gateway-feed', brokers, from: 'latest' as const };
  const opening = await Promise.allSettled(followed.map((topic) => tailTopic({ ...options, topic }, onRecord)));
  const open = opening.flatMap((tail) => (tail.status === 'fulfilled' ? [tail.value] : []));
  const failure = opening.find((tail) => tail.status === 'rejected');
  if (failure === undefined) return open;
  await Promise.all(open.map((tail) => tail.close()));
  throw failure.reason;
}

/** Undefined for a value that is not one of ours: somebody else's record must not end the feed. */
function storeOf({ value }: ReadRecord): string | undefined {
  try {
    const storeId = (JSON.parse(String(value)) as { storeId?: unknown } | null)?.storeId;
    return typeof storeId === 'string' ? storeId : undefined;
  } catch {
    return undefined;
  }
}
