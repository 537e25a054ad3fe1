import { pino } from 'pino';
import { expect, test, vi } from 'vitest';
import { plainCluster } from '../../contracts/config/kafka-cluster.ts';
import { connectingProducer } from '../../gateway/orders/connecting-producer.ts';
import { KafkaUnavailableError, type RecordProducer } from '../../kafka/index.ts';

function bench(failures: number) {
  const lines: string[] = [];
  const logger = pino({ level: 'info' }, { write: (line) => lines.push(JSON.parse(line).msg) });
  const close = vi.fn(async () => {});
  let left = failures;
  const create = vi.fn(async () => {
    left--;
    if (left >= 0) throw new Error('connect ECONNREFUSED');
    return {
      unanswered: { records: 0, bytes: 0 },
      append: (_, done) => done(null),
      async send() {},
      close,
    } as RecordProducer;
  });
  const opening = connectingProducer(
    { clientId: 'test', cluster: plainCluster(['none:1']), deadlineMs: 1_000 },
    logger,
    create,
  );
  return { lines, close, create, opening };
}

test('a start without Kafka is logged once, and so is its end; until then orders are answered with the reason', async () => {
  const { lines, close, create, opening } = bench(2);
  const producer = await opening;
  const append = () => new Promise((resolve) => producer.append({} as never, resolve));
  expect(await append()).toEqual(new KafkaUnavailableError('connect ECONNREFUSED'));
  await vi.waitFor(() => expect(create).toHaveBeenCalledTimes(3), { timeout: 10_000 });
  await vi.waitFor(async () => expect(await append()).toBeNull());
  expect(lines).toEqual([
    'Kafka cannot be reached; trying again every second',
    'Kafka can be reached; the gateway can append orders',
  ]);
  await producer.close();
  expect(close).toHaveBeenCalledOnce();
});

test('a close while Kafka cannot be reached ends the attempts at once', async () => {
  const { create, lines, opening } = bench(Number.POSITIVE_INFINITY);
  await (await opening).close();
  expect(create).toHaveBeenCalledOnce();
  expect(lines).toHaveLength(1);
});
