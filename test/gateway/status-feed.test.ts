import { expect, test, vi } from 'vitest';
import { createStatusFeed, type StatusFeedOptions } from '../../gateway/status-feed.ts';
import type { Stream } from '../../gateway/stream.ts';
import type { ReadRecord, Tail } from '../../kafka/index.ts';
import { createLogger } from '../../telemetry/logger.ts';

type Open = NonNullable<StatusFeedOptions['open']>;

test('an attempt that fails after it was stopped leaves the next one alone, which is closed in the end', async () => {
  const attempts: { push(record: ReadRecord): void; resolve(tails: Tail[]): void; reject(error: Error): void }[] = [];
  const open: Open = (_brokers, push) => new Promise((resolve, reject) => attempts.push({ push, resolve, reject }));
  const streams = new Set<Stream>();
  const feed = createStatusFeed({ brokers: [], streams, logger: createLogger('test', 'silent'), open });
  const stream = { identity: { store: 's' }, push: vi.fn() } as unknown as Stream;
  streams.add(stream);
  feed.opened();
  streams.clear();
  const record = {
    key: 'k',
    value: JSON.stringify({ storeId: 's' }),
    headers: { ce_type: 'order.paid' },
  } as unknown as ReadRecord;
  // Nobody is there any more: this stops the first attempt.
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
