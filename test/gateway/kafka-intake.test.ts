import { expect, test, vi } from 'vitest';
import type { IntakeOrder } from '../../gateway/orders/intake.ts';
import { createKafkaIntake } from '../../gateway/orders/kafka-intake.ts';
import { KafkaUnavailableError, PartitionUnavailableError, type RecordProducer } from '../../kafka/index.ts';
import type { Logger } from '../../telemetry/logger.ts';

function intakeWith(answer: (key: string | Buffer) => Error | null) {
  const time = { now: 1_800_000_000_000 };
  const lines: string[] = [];
  const note = (_: object, message: string) => lines.push(message);
  const health = { reason: () => undefined, outage: () => undefined, suspect: vi.fn(), confirm: vi.fn(), close() {} };
  const producer = {
    append: ({ key }: { key: string }, done: (error: Error | null) => void) => done(answer(key)),
    close: async () => {},
  } as unknown as RecordProducer;
  const logger = { info: note, warn: note, error: note } as unknown as Logger;
  const intake = createKafkaIntake({ producer, health, logger, clock: { now: () => time.now }, source: '/test' });
  const accept = (orderId: string) =>
    new Promise<Error | null>((resolve) =>
      intake.accept({ orderId, value: Buffer.from('{}') } as IntakeOrder, resolve),
    );
  return { intake, health, lines, accept, time };
}

test('one partition without a leader is logged once, and orders of other partitions neither start nor end that state', async () => {
  const without = new PartitionUnavailableError('partition raw-orders/3 has no leader');
  const { intake, health, lines, accept, time } = intakeWith((key) => (key === 'lost' ? without : null));
  for (let round = 0; round < 3; round++) {
    time.now += 6_000;
    expect(await accept('lost')).toBe(without);
    expect(await accept('taken')).toBeNull();
  }
  expect(lines).toEqual(['one partition takes no orders; its orders are refused until it does']);
  expect(health.suspect).not.toHaveBeenCalled();
  expect(intake.remark?.()).toBe(
    'one partition takes no orders; its orders get 503: partition raw-orders/3 has no leader',
  );
  await intake.close();
});

test('partitions without a leader make an outage when no other one takes an order', async () => {
  const { intake, health, accept, time } = intakeWith(() => new PartitionUnavailableError('no leader'));
  await accept('first');
  expect(health.suspect).not.toHaveBeenCalled();
  time.now += 6_000;
  await accept('second');
  expect(health.suspect).toHaveBeenCalledOnce();
  await intake.close();
});

test('an append that fails for another reason still makes Kafka suspect', async () => {
  const { intake, health, accept } = intakeWith(() => new KafkaUnavailableError('no broker answers'));
  await accept('any');
  expect(health.suspect).toHaveBeenCalledOnce();
  await intake.close();
});
