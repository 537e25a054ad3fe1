// Pushes news from topics to WebSocket connections. Used by status-feed.ts and by menus/menu-feed.ts.

import type { KafkaCluster } from '../../contracts/config/kafka-cluster.ts';
import { type ReadRecord, type Tail, type TailOptions, tailTopic } from '../../kafka/index.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { StateLog } from '../../telemetry/state-log.ts';
import type { Stream } from '../websocket/stream.ts';

const RETRY_MS = 2_000;

export interface TopicFeed {
  /** A stream opened: it gets the news from now on. */
  opened(): void;
  close(): Promise<void>;
}

/** What a record says to the streams of one store. */
export interface StoreNews {
  storeId: string;
  message: object;
}

/** Opens the readers of all topics or of none. */
export type OpenTails = (
  cluster: KafkaCluster,
  onRecord: (record: ReadRecord) => void,
  onTrouble: TailOptions['onTrouble'],
) => Promise<Tail[]>;

export interface TopicFeedOptions {
  /** For log lines, such as "status updates". */
  what: string;
  topics: readonly string[];
  cluster: KafkaCluster;
  streams: ReadonlySet<Stream>;
  logger: Logger;
  /** A test gives a function that can fail. */
  open?: OpenTails | undefined;
  /** Called when reading begins, at the end of the topics. */
  started?(): void;
  /** Undefined for a record that is no news, or no event of this system: such a record must not end the feed. */
  newsOf(record: ReadRecord): StoreNews | undefined;
}

/** Best effort: it reads only while a stream is open, and starts at the end of the topics. */
export function createTopicFeed(options: TopicFeedOptions): TopicFeed {
  const { what, cluster, streams, logger, started, newsOf, open = opener(options) } = options;
  let tails: Promise<Tail[]> | undefined;
  let retry: NodeJS.Timeout | undefined;
  let closed = false;
  const states = new StateLog(logger);

  function start(): void {
    retry = undefined;
    if (tails !== undefined || closed || streams.size === 0) return;
    started?.();
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
    if (trouble === undefined) states.end('feed', `${what} are pushed again`);
    else states.begin('feed', `${what} are not pushed; trying again`, { err: trouble });
  }

  async function stop(): Promise<void> {
    const running = tails;
    tails = undefined;
    // Readers that failed to open are closed already (`opener`). `start` tells of them; a feed that was stopped meanwhile is missed by no stream.
    const open = (await running?.catch(() => [])) ?? [];
    for (const closed of await Promise.allSettled(open.map((tail) => tail.close())))
      if (closed.status === 'rejected') logger.warn({ err: closed.reason }, `a reader of ${what} did not close`);
  }

  function push(record: ReadRecord): void {
    const news = newsOf(record);
    if (news === undefined) return;
    for (const stream of streams)
      if (stream.identity.store === undefined || stream.identity.store === news.storeId) stream.push(news.message);
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

/** When one reader fails to open, the others are closed. */
function opener({ topics }: Pick<TopicFeedOptions, 'topics'>): OpenTails {
  return async (cluster, onRecord, onTrouble) => {
    const options = { clientId: 'ordermesh-gateway-feed', cluster, from: 'latest' as const, onTrouble };
    const opening = await Promise.allSettled(topics.map((topic) => tailTopic({ ...options, topic }, onRecord)));
    const open = opening.flatMap((tail) => (tail.status === 'fulfilled' ? [tail.value] : []));
    const failure = opening.find((tail) => tail.status === 'rejected');
    if (failure === undefined) return open;
    await Promise.all(open.map((tail) => tail.close()));
    throw failure.reason;
  };
}

/** The value of an event; undefined for bytes that are not JSON. */
export function parsedValue(value: Buffer | null): Record<string, unknown> | undefined {
  try {
    return JSON.parse(String(value)) ?? undefined;
  } catch {
    // Not JSON: the role that processes the topic parks the record and says so.
    return undefined;
  }
}
