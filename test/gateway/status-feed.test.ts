import { expect, test, vi } from 'vitest';
import { plainCluster } from '../../contracts/config/kafka-cluster.ts';
import { createStatusFeed, type StatusFeedOptions } from '../../gateway/status/status-feed.ts';
import type { Stream } from '../../gateway/websocket/stream.ts';
import type { ReadRecord, Tail } from '../../kafka/index.ts';
import { createLogger } from '../../telemetry/logger.ts';

type Open = NonNullable<StatusFeedOptions['open']>;

test('an attempt that fails after it was stopped does not affect the next one, which is closed at the end', async () => {
  const attempts: { push(record: ReadRecord): void; resolve(tails: Tail[]): void; reject(error: Error): void }[] = [];
  const open: Open = (_brokers, push) => new Promise((resolve, reject) => attempts.push({ push, resolve, reject }));
  const streams = new Set<Stream>();
  const feed = createStatusFeed({ cluster: plainCluster([]), streams, logger: createLogger('test', 'silent'), open });
  const stream = { identity: { store: 's' }, push: vi.fn() } as unknown as Stream;
  streams.add(stream);
  feed.opened();
  streams.clear();
  const record = {
    key: 'k',
    value: JSON.stringify({ storeId: 's' }),
    headers: { ce_type: 'order.paid' },
  } as unknown as ReadRecord;
  // No stream is open any more: this stops the first attempt.
  attempts[0]?.push(record);
  streams.add(stream);
  feed.opened();
  expect(attempts).toHaveLength(2);
  const close = vi.fn(async () => {});
  attempts[1]?.resolve([{ close } as unknown as Tail]);
  attempts[0]?.reject(new Error('late'));
  await new Promise((resolve) => setImmediate(resolve));
  attempts[1]?.push(record);
  expect(stream.push).toHaveBeenCalledOnce();
  feed.opened();
  expect(attempts).toHaveLength(2);
  await feed.close();
  expect(close).toHaveBeenCalledOnce();
});

test('a stream gets no outdated status and no command that the kitchen ignores, and each status has its time', async () => {
  let push: (record: ReadRecord) => void = () => {};
  const open: Open = async (_brokers, onRecord) => {
    push = onRecord;
    return [];
  };
  const streams = new Set<Stream>();
  const feed = createStatusFeed({ cluster: plainCluster([]), streams, logger: createLogger('test', 'silent'), open });
  const told: [orderId: string, status: string][] = [];
  const messages: { at?: string }[] = [];
  streams.add({
    identity: { store: 's' },
    push(message: { orderId: string; status: string; at?: string }) {
      told.push([message.orderId, message.status]);
      messages.push(message);
    },
  } as unknown as Stream);
  feed.opened();
  const happens = (orderId: string, type: string, round?: number) =>
    push({
      key: orderId,
      value: JSON.stringify({ storeId: 's', occurredAt: '2026-11-22T10:00:00.000Z', round }),
      headers: { ce_type: type },
    } as unknown as ReadRecord);
  const of = (orderId: string) => told.filter(([id]) => id === orderId).map(([, status]) => status);

  happens('a', 'order.validated');
  happens('a', 'order.paid');
  happens('a', 'order.cooked', 1);
  // The order is sent again: both roles repeat what they have decided.
  happens('a', 'order.validated');
  happens('a', 'order.paid');
  expect(of('a')).toEqual(['validated', 'paid', 'cooked']);
  happens('a', 'order.recalled', 1);
  happens('a', 'order.cooked', 1);
  happens('a', 'order.recalled', 1);
  happens('a', 'order.cooking', 2);
  happens('a', 'order.cooked', 2);
  happens('a', 'order.paid');
  expect(of('a').slice(3)).toEqual(['paid', 'cooking', 'cooked']);

  happens('b', 'order.validated');
  // Not paid, not cooked, not recalled: the kitchen ignores these commands.
  happens('b', 'order.cooked', 1);
  happens('b', 'order.paid');
  happens('b', 'order.recalled', 1);
  happens('b', 'order.cooked', 2);
  happens('b', 'order.cooking', 1);
  expect(of('b')).toEqual(['validated', 'paid', 'cooking']);

  // Seen for the first time, so it is pushed; its time shows how old it is.
  happens('c', 'order.paid');
  expect(of('c')).toEqual(['paid']);
  expect(new Set(messages.map(({ at }) => at))).toEqual(new Set(['2026-11-22T10:00:00.000Z']));
  await feed.close();
});
